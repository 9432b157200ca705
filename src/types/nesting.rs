//! How deeply JSON nests, found out without parsing it.

/// Objects and arrays inside each other, the outermost counted. Receivers may parse by recursion, which a body
/// of 100 kB could take tens of thousands of levels deep; 128 is more than any message needs.
pub const NESTING_MAX: usize = 128;

/// Whether more than [`NESTING_MAX`] brackets are open at once. Brackets inside strings are text. Of text that is not
/// JSON the answer means nothing; the parser refuses it.
pub fn is_too_deep(json: &str) -> bool {
    let mut depth = 0_usize;
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' if depth == NESTING_MAX => return true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

fn skip_string(bytes: &mut impl Iterator<Item = u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => _ = bytes.next(), // `\"` does not end the string
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;

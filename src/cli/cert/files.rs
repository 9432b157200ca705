//! Writing files that must be whole, or secret, or left alone.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everybody.
    Public,
    /// Its owner.
    Private,
}

/// Writes `text` to `path`, whole or not at all, and makes the folder if it is missing.
///
/// # Errors
/// When the file is there and must not be replaced, or the folder cannot be written.
pub fn write(path: &Path, text: &str, mode: Mode, replace: bool) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{:016x}", rand::random::<u64>()));
    let written = write_new(&draft, text, mode)
        .with_context(|| format!("cannot write {}", draft.display()))
        .and_then(|()| publish(&draft, path, replace));
    // After a rename there is nothing to remove; after a failure the draft must not stay.
    let _ = fs::remove_file(&draft);
    written
}

fn write_new(path: &Path, text: &str, mode: Mode) -> std::io::Result<()> {
    let mode = match mode {
        Mode::Public => 0o644,
        Mode::Private => 0o600,
    };
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Gives the draft its name. A link, unlike a rename, fails when the name is taken.
fn publish(draft: &Path, path: &Path, replace: bool) -> anyhow::Result<()> {
    if replace {
        return fs::rename(draft, path).with_context(|| format!("cannot replace {}", path.display()));
    }
    match fs::hard_link(draft, path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("{} is there already", path.display())
        }
        linked => linked.with_context(|| format!("cannot write {}", path.display())),
    }
}

#[cfg(test)]
mod tests;

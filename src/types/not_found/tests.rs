//! The page as Express 4.18.2 prints it, measured.

use super::*;

#[test]
fn the_page_is_express_own() {
    let page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n\
                <body>\n<pre>Cannot GET /publish</pre>\n</body>\n</html>\n";
    assert_eq!(not_found_page("GET", "/publish"), page);
}

#[test]
fn the_path_is_encoded_and_then_escaped() {
    let shown = "<pre>Cannot GET /a%22b%3Cc%3Ed%7Be%7Df%7Cg%5Eh%60i[j]k%25l%41&amp;m&#39;n$o;p~q%5Cr//s</pre>";
    let page = not_found_page("GET", "/a\"b<c>d{e}f|g^h`i[j]k%l%41&m'n$o;p~q\\r//s");
    assert!(page.contains(shown), "{page}");
    assert_eq!(encoded("/\u{e9} %4%zz%"), "/%C3%A9%20%254%25zz%25");
    assert!(not_found_page("OPTIONS", "*").contains("<pre>Cannot OPTIONS *</pre>"));
}

#[test]
fn a_verb_is_escaped_too() {
    assert!(not_found_page("X&'<\"", "/").contains("<pre>Cannot X&amp;&#39;&lt;&quot; /</pre>"));
}

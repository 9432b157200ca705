//! The page that Express answers where there is nothing, which operators of vrchats use as a health test.

/// The HTML for a path and verb that lead nowhere. The query is not shown.
pub fn not_found_page(method: &str, path: &str) -> String {
    let path = path.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let path = path.replace('\'', "&#39;");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n\
         <pre>Cannot {method} {path}</pre>\n</body>\n</html>\n"
    )
}

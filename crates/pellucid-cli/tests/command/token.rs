//! `pellucid token`: what stands in the file of tokens.

use crate::{Folder, run, stdout};

#[test]
fn a_token_gets_a_line_of_its_own() {
    let folder = Folder::new();
    let path = folder.write("tokens.txt", "# edited by hand, without a line feed");
    let token = stdout(&run(&["token", &path, "monitor", "--scopes", "read,audit"]));
    let text = std::fs::read_to_string(&path).expect("it is there");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[1].starts_with("monitor read,audit ") && text.ends_with('\n'), "{text}");
    assert!(token.starts_with("plt_") && token.ends_with('\n') && !text.contains(token.trim()));
}

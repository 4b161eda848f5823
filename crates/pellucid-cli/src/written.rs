//! The files that a command wrote, told in a few lines.

/// More files than these are told of by the first few and a number.
const MOST: usize = 12;
const FIRST: usize = 6;

/// A line for each file; of many the first ones, and how many more there are.
pub(crate) fn wrote(paths: &[String]) -> String {
    let shown = if paths.len() > MOST { FIRST } else { paths.len() };
    let mut lines: String = paths[..shown].iter().map(|path| format!("wrote     {path}\n")).collect();
    if shown < paths.len() {
        lines += &format!("…         and {} files more there\n", paths.len() - shown);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrote;

    fn lines(n: usize) -> Vec<String> {
        let paths: Vec<String> = (0..n).map(|i| format!("out/{i}.png")).collect();
        wrote(&paths).lines().map(str::to_owned).collect()
    }

    #[test]
    fn all_files_are_told_of_one_by_one_or_by_number() {
        assert!(lines(0).is_empty());
        assert_eq!(lines(12)[11], "wrote     out/11.png");
        assert_eq!(lines(68)[5..], ["wrote     out/5.png", "…         and 62 files more there"]);
    }
}

use super::*;
use crate::testing::table_group;

/// Features `age`, `sex` (F, M) and `hours per week`.
fn holds(expression: &str, row: [f32; 3]) -> bool {
    Test::read(expression, &table_group()).unwrap_or_else(|fault| panic!("{fault}")).holds(&row)
}

fn fault(expression: &str) -> String {
    Test::read(expression, &table_group()).expect_err("a fault")
}

#[test]
fn expressions_choose_rows() {
    let woman = [52.0, 0.0, 20.0];
    let man = [30.0, 1.0, 40.0];
    for (expression, of_woman, of_man) in [
        ("age > 40 and sex == \"F\"", true, false),
        ("age > 40 && sex == 'M'", false, false),
        ("age < 40 or sex == \"F\"", true, true),
        ("not sex == \"F\"", false, true),
        ("!(age >= 30 and age <= 52)", false, false),
        ("sex in (\"F\", \"M\")", true, true),
        ("sex not in [\"F\"]", false, true),
        ("`hours per week` == 20", true, false),
        ("`hours per week` != 2e1", false, true),
        ("age > 1 or age > 2 and age > 100", true, true),
        ("(age > 1 or age > 2) and age > 100", false, false),
        ("age is missing", false, false),
        ("age IS NOT missing AND NOT age < 52", true, false),
    ] {
        assert_eq!((holds(expression, woman), holds(expression, man)), (of_woman, of_man), "{expression}");
    }
}

#[test]
fn what_is_missing_meets_no_comparison() {
    let unknown = [f32::NAN, f32::NAN, 40.0];
    for expression in ["age == 1", "age != 1", "age < 1", "age >= 1", "sex != \"F\"", "sex not in (\"F\")"] {
        assert!(!holds(expression, unknown), "{expression}");
    }
    assert!(holds("age is missing and sex is missing and `hours per week` is not missing", unknown));
}

/// Inputs are kept in single precision: 0.1 must find what was stored as 0.1.
#[test]
fn numbers_are_compared_as_they_are_kept() {
    assert!(holds("age == 0.1", [0.1_f64 as f32, 0.0, 0.0]));
}

#[test]
fn faults_point_to_the_place() {
    assert_eq!(fault("agee > 40"), "there is no feature `agee`; did you mean `age`?\nagee > 40\n^^^^");
    assert_eq!(
        fault("age > 40 and sex == \"X\""),
        "`sex` has no category \"X\"; it has \"F\", \"M\"\nage > 40 and sex == \"X\"\n                    ^^^"
    );
    assert_eq!(
        fault("zip == 3"),
        "there is no feature `zip`; the features are age, sex, hours per week\nzip == 3\n^^^"
    );
    for (expression, message) in [
        ("age = 3", "equality is written `==`"),
        ("age > ", "expected a number, or a text in quotes"),
        ("age > old", "expected a value; a text stands in quotes: \"old\""),
        ("age", "expected a comparison"),
        ("age > 4 sex == \"F\"", "expected `and`, `or` or the end"),
        ("(age > 4", "expected `)`"),
        ("sex > \"F\"", "`sex` has categories"),
        ("sex == 1", "`sex` has categories"),
        ("age == \"old\"", "`age` is a number"),
        ("sex == \"F", "the \" is not closed"),
        ("age > 4x", "`4x` is no number"),
        ("age > 1e99", "`1e99` is no number"),
        ("age ? 3", "`?` has no meaning here"),
        ("", "expected the name of a feature"),
        ("age not 3", "expected `in`"),
        ("age is 3", "expected `missing`"),
        ("age in 3", "expected values in parentheses"),
    ] {
        assert!(fault(expression).starts_with(message), "{expression}: {}", fault(expression));
    }
}

#[test]
fn no_expression_is_too_much() {
    let deep = format!("{}age > 1{}", "(".repeat(900), ")".repeat(900));
    assert!(fault(&deep).starts_with("nests deeper than 50"));
    assert!(fault(&"x".repeat(3_000)).starts_with("the expression has 3000 characters"));
    let mut seed = 7_u64;
    let alphabet: Vec<char> = "age sex()=<>!\"'`.,-1é&|[]not in is or".chars().collect();
    for _ in 0..20_000 {
        let text: String = (0..12)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                alphabet[(seed >> 33) as usize % alphabet.len()]
            })
            .collect();
        let _ = Test::read(&text, &table_group());
    }
}

use super::*;

#[test]
fn problem_is_one_line_with_all_that_is_known() {
    let origin = Origin { source: "config.yaml".into(), line: 12, column: 5 };
    let problem = Problem::new(Some(origin), "processors::threshold/slow::limt", "unknown key \"limt\"")
        .with_allowed("limt", ["limit", "match"]);
    assert_eq!(
        problem.to_string(),
        "config.yaml:12:5: processors::threshold/slow::limt: unknown key \"limt\"; allowed: limit, match; did you mean \"limit\"?"
    );
}

#[test]
fn message_stays_one_short_line_whatever_the_file_holds() {
    let mut problem = Problem::new(None, "a\nb", "bad\r\nvalue");
    problem.value = Some("x".repeat(1000).into());
    assert_eq!(problem.to_string(), format!("a\\nb: bad\\r\\nvalue; value: {}...", "x".repeat(80)));
}

#[test]
fn nearest_name_is_near() {
    let names = ["limit", "match", "interval", "a"];
    assert_eq!(nearest("limt", names), Some("limit"));
    assert_eq!(nearest("intreval", names), Some("interval"));
    assert_eq!(nearest("b", names), None);
    assert_eq!(nearest("completely", names), None);
    assert_eq!(nearest(&"x".repeat(65), names), None);
}

#[test]
fn too_many_problems_are_counted_instead_of_listed() {
    let problems = (0..MAX_PROBLEMS + 7).map(|i| Problem::new(None, i.to_string(), "x")).collect();
    let listed = finished(problems);
    assert_eq!(listed.len(), MAX_PROBLEMS + 1);
    assert_eq!(listed.last().unwrap().to_string(), "and 7 more problems");
}

#[test]
fn issues_carry_the_path_of_the_part_they_are_in() {
    struct Leaf(u32);
    impl Validate for Leaf {
        fn validate(&self, problems: &mut Issues) {
            if self.0 > 9 {
                problems.push("value", format!("{} is too much", self.0), "0 to 9");
            }
        }
    }
    let mut issues = Issues::default();
    issues.each("rules", &[Leaf(1), Leaf(10)]);
    let found = issues.into_vec();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, ["rules", "1", "value"]);
}

#[test]
fn a_text_cannot_break_its_line_or_steer_the_terminal() {
    assert_eq!(one_line("a\nb\u{1b}[2Jc\u{7f}"), "a\\nb\\u{1b}[2Jc\\u{7f}");
}

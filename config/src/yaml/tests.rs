use super::*;
use crate::limits::MAX_DEPTH;
use crate::node::{Data, Number};

fn tree(text: &str) -> Node {
    parse("t.yaml", text).unwrap().root.unwrap()
}

fn errors(text: &str) -> Vec<String> {
    parse("t.yaml", text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn every_value_and_key_knows_its_line_and_column() {
    let root = tree("a:\n  b: 1\n  c:\n    - x\n    - {d: y}\n");
    let list = root.get("a").unwrap().get("c").unwrap();
    let Data::List(items) = &list.data else { panic!("{list:?}") };
    assert_eq!(root.get("a").unwrap().get("b").unwrap().origin.to_string(), "t.yaml:2:6");
    assert_eq!(items[0].origin.to_string(), "t.yaml:4:7");
    assert_eq!(items[1].as_map().unwrap()["d"].key_origin.to_string(), "t.yaml:5:8");
}

#[test]
fn syntax_error_says_where() {
    let errors = errors("a: 1\nb: [1, 2\nc: 3\n");
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("t.yaml:3:"), "{errors:?}");
    assert!(errors[0].contains("YAML syntax: "), "{errors:?}");
}

#[test]
fn duplicate_keys_are_all_reported_with_both_positions() {
    assert_eq!(
        errors("a: 1\nb:\n  c: 1\n  c: 2\na: 2\n"),
        [
            "t.yaml:4:3: mapping key \"c\" already defined at line 3 column 3",
            "t.yaml:5:1: mapping key \"a\" already defined at line 1 column 1"
        ]
    );
}

#[test]
fn quoted_block_and_tagged_scalars_keep_their_type() {
    let root = tree("a: '1'\nb: \"true\"\nc: |\n  5\nd: !!str 0123\ne: !foo 5\nf: !!int 5\ng: !!float 5\n");
    for (key, text) in [("a", "1"), ("b", "true"), ("c", "5\n"), ("d", "0123"), ("e", "5")] {
        assert_eq!(root.get(key).unwrap().as_str(), Some(text), "{key}");
    }
    assert_eq!(root.get("f").unwrap().data, Data::Number(Number::Int(5)));
    assert_eq!(errors("a: !!int x"), ["t.yaml:1:4: cannot decode \"x\" as a !!int"]);
}

#[test]
fn aliases_and_merge_keys_are_followed() {
    let root = tree("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\nlist: {<<: [{x: 9}, *b]}\ncopy: *b\n");
    assert_eq!(root.get("use"), Some(&tree("{x: 1, y: 3}")));
    assert_eq!(root.get("list"), Some(&tree("{x: 9, y: 2}")));
    assert_eq!(root.get("copy"), root.get("base"));
    assert_eq!(errors("a: {<<: 1}"), ["t.yaml:1:9: map merge requires map or sequence of maps as the value"]);
}

#[test]
fn alias_bomb_is_refused() {
    use std::fmt::Write as _;
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..9 {
        let parts = vec![format!("*a{}", i - 1); 10].join(", ");
        writeln!(text, "a{i}: &a{i} [{parts}]").unwrap();
    }
    assert_eq!(errors(&text).len(), 1);
    assert!(errors(&text)[0].ends_with("more than 200000 values (aliases counted each time)"), "{:?}", errors(&text));
}

#[test]
fn long_text_repeated_by_aliases_is_refused() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 100].join(", "));
    assert!(errors(&text)[0].ends_with("more than 4194304 bytes of text (aliases counted each time)"), "{:?}", errors(&text));
}

#[test]
fn alias_inside_its_own_value_is_refused() {
    assert_eq!(errors("a: &x [*x]"), ["t.yaml:1:8: an alias stands inside the value it refers to"]);
}

#[test]
fn nesting_is_limited_also_through_aliases() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse("t", &deep(MAX_DEPTH - 1)).is_ok());
    assert!(errors(&deep(MAX_DEPTH + 1))[0].ends_with("nested deeper than 64 levels"));
    // The scanner reads ahead of its events and gives up by itself at 255 open brackets.
    assert!(errors(&deep(100_000))[0].ends_with("recursion limit exceeded"));
    let chained = format!("a: &a {}\nb: {}*a{}\n", deep(40), "[".repeat(40), "]".repeat(40));
    assert!(errors(&chained)[0].ends_with("nested deeper than 64 levels"));
}

#[test]
fn keys_must_be_scalars() {
    assert_eq!(errors("{a: 1}: b"), ["t.yaml:1:1: a key must be a text, not a map, list or other value"]);
    assert_eq!(errors(": b"), ["t.yaml:1:1: a key is missing before the colon"]);
}

#[test]
fn text_is_checked_before_it_is_parsed() {
    let refused = |bytes: &[u8]| text("t.yaml", bytes).unwrap_err().to_string();
    assert_eq!(refused(b"a: \xff"), "t.yaml:1:4: not UTF-8: invalid byte at offset 3");
    assert_eq!(refused(b"a: 1\nb: \0"), "t.yaml:2:4: control characters are not allowed: '\\0'");
    assert_eq!(
        refused(&vec![b' '; MAX_FILE_BYTES + 1]),
        "t.yaml: 4194305 bytes are too many for a configuration, at most 4194304 are read"
    );
    assert_eq!(text("t.yaml", "\u{feff}a: 1".as_bytes()).unwrap(), "a: 1");
}

#[test]
fn second_document_is_left_alone_with_a_warning() {
    let parsed = parse("t.yaml", "a: 1\n---\nb: 2\n").unwrap();
    assert_eq!(parsed.root, Some(tree("a: 1")));
    assert_eq!(
        parsed.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["t.yaml:2:1: only the first YAML document of a source is used"]
    );
}

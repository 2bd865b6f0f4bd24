use super::*;
use crate::source::Source;

fn merged(texts: &[&str]) -> Node {
    let layers: Vec<Layer> = texts.iter().enumerate().map(|(i, text)| layer(&format!("{i}.yaml"), text)).collect();
    merge(&layers)
}

fn layer(name: &str, text: &str) -> Layer {
    Source::Text { name: name.to_owned(), bytes: text.as_bytes().to_vec() }.load(&|_| None, &mut Vec::new()).unwrap()
}

#[test]
fn maps_merge_deeply_and_lists_are_replaced() {
    let both = merged(&["a: {x: 1, y: [1, 2]}\nb: 1\n", "a: {y: [3], z: 4}\n"]);
    assert_eq!(both, merged(&["{a: {x: 1, y: [3], z: 4}, b: 1}"]));
}

#[test]
fn null_of_a_later_layer_wipes_and_an_empty_map_does_not() {
    assert_eq!(merged(&["a: {x: 1}", "a:"]), merged(&["a: null"]));
    assert_eq!(merged(&["a: {x: 1}", "a: {}"]), merged(&["a: {x: 1}"]));
    assert_eq!(merged(&["a:", "a: {x: 1}"]), merged(&["a: {x: 1}"]));
    assert_eq!(merged(&["a: {x: 1}", "a: 5", "a: {y: 2}"]), merged(&["a: {y: 2}"]));
}

#[test]
fn every_value_keeps_the_place_it_won_from() {
    let both = merged(&["a:\n  x: 1\n  y: 2\n", "\na:\n  y: 3\n"]);
    let a = both.get("a").unwrap();
    assert_eq!(a.get("x").unwrap().origin.to_string(), "0.yaml:2:6");
    assert_eq!(a.get("y").unwrap().origin.to_string(), "1.yaml:3:6");
    assert_eq!(a.as_map().unwrap()["y"].key_origin.to_string(), "1.yaml:3:3");
}

#[test]
fn keys_with_dots_slashes_and_odd_characters_survive() {
    let text = r#"{"threshold/a.b": {"x.y": 1}, "": 2, "default": 3, "a b": 4}"#;
    let root = merged(&[text, "{}"]);
    assert_eq!(root.get("threshold/a.b").unwrap().get("x.y").unwrap().shown().unwrap().as_ref(), "1");
    assert_eq!(root.as_map().unwrap().len(), 4);
}

#[test]
fn double_colon_in_a_key_nests() {
    assert_eq!(merged(&["processors::batch::timeout: 2s"]), merged(&["processors: {batch: {timeout: 2s}}"]));
    let problems = Source::Yaml("a::b: 1\na: {b: 2}".to_owned()).load(&|_| None, &mut Vec::new()).unwrap_err();
    assert_eq!(problems[0].to_string(), "yaml:1:1: mapping key \"b\" already defined at line 2 column 5");
    let deep = vec!["a"; 100].join("::") + ": 1";
    let problems = Source::Yaml(deep).load(&|_| None, &mut Vec::new()).unwrap_err();
    assert_eq!(problems[0].to_string(), "yaml:1:1: nested deeper than 64 levels");
}

#[test]
fn set_flag_is_a_path_and_a_yaml_value() {
    let set = |argument: &str| Source::from_set_flag(argument).unwrap().load(&|_| None, &mut Vec::new()).unwrap().root;
    assert_eq!(set("a.b.c= [1, x]"), merged(&["a: {b: {c: [1, x]}}"]));
    assert_eq!(set("a.b="), merged(&["a: {b: null}"]));
    assert_eq!(set("a.b={c: 1}").get("a").unwrap().get("b").unwrap().get("c").unwrap().origin.to_string(), "--set a.b");
    assert_eq!(
        Source::from_set_flag("key:name").unwrap_err().to_string(),
        "invalid value \"key:name\" for flag -set: missing equal sign"
    );
}

#[test]
fn config_flag_knows_its_schemes() {
    let flag = |argument: &str| Source::from_config_flag(argument).unwrap();
    assert_eq!(flag("a.yaml"), Source::File("a.yaml".to_owned()));
    assert_eq!(flag("file:a.yaml"), Source::File("a.yaml".to_owned()));
    assert_eq!(flag("./a:b.yaml"), Source::File("./a:b.yaml".to_owned()));
    assert_eq!(flag("c:/a.yaml"), Source::File("c:/a.yaml".to_owned()));
    assert_eq!(flag("env:CONF"), Source::Env("CONF".to_owned()));
    assert_eq!(flag("yaml:a: 1"), Source::Yaml("a: 1".to_owned()));
    assert_eq!(
        Source::from_config_flag("http://x").unwrap_err().to_string(),
        "scheme \"http\" is not supported for uri \"http://x\"; allowed: file, env, yaml"
    );
}

#[test]
fn missing_file_and_wrong_root_are_said() {
    let problem = |source: Source| source.load(&|_| None, &mut Vec::new()).unwrap_err()[0].to_string();
    assert_eq!(
        problem(Source::File("/nonexistent/x.yaml".to_owned())),
        "/nonexistent/x.yaml: unable to read the file file:/nonexistent/x.yaml: No such file or directory (os error 2)"
    );
    assert_eq!(problem(Source::Yaml("[1]".to_owned())), "yaml:1:1: a configuration is a map, got list");
}

#[test]
fn environment_variable_can_be_a_whole_layer() {
    let env = |name: &str| (name == "CONF").then(|| "a: 1".to_owned());
    assert_eq!(Source::Env("CONF".to_owned()).load(&env, &mut Vec::new()).unwrap().root, merged(&["a: 1"]));
}

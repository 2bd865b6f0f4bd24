use super::*;
use crate::node::Number;

fn expanded(text: &str, variables: &[(&str, &str)]) -> (Node, Findings) {
    let root = yaml::parse("c.yaml", text).unwrap().root.unwrap();
    expand(root, &|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
}

/// Expands `field: ${env:ENV}` and returns what a field of type text and a field of any other type would take.
fn field(template: &str, variables: &[(&str, &str)]) -> (Option<String>, Data) {
    let (root, findings) = expanded(&format!("field: {template:?}"), variables);
    assert!(findings.problems.is_empty(), "{findings:?}");
    let node = root.get("field").unwrap().clone();
    (node.raw.as_deref().or(node.as_str()).map(str::to_owned), node.data)
}

fn problem(text: &str, variables: &[(&str, &str)]) -> String {
    let (_, findings) = expanded(text, variables);
    findings.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn number(value: i64) -> Data {
    Data::Number(Number::Int(value))
}

#[test]
fn variable_gives_a_number_to_a_number_field_and_its_text_to_a_text_field() {
    for (value, data) in
        [("123", number(123)), ("0123", number(83)), ("0xdeadbeef", number(3_735_928_559)), ("true", Data::Bool(true))]
    {
        assert_eq!(field("${env:ENV}", &[("ENV", value)]), (Some(value.to_owned()), data.clone()), "direct {value}");
        assert_eq!(
            field("${ENV}", &[("ENV", "${env:ENV2}"), ("ENV2", value)]),
            (Some(value.to_owned()), data),
            "indirect {value}"
        );
    }
}

#[test]
fn variable_that_means_a_text_is_taken_verbatim() {
    let verbatim = [
        "\"0123\"",
        "!!str 0123",
        "t",
        "foo\nbar",
        "[\"a\",",
        "2006-01-02T15:04:05Z07:00",
        "2023-03-20T03:17:55.432328Z",
        "a: b: c",
        "\u{1}",
    ];
    for value in verbatim {
        assert_eq!(field("${env:ENV}", &[("ENV", value)]), (Some(value.to_owned()), Data::String(value.into())), "{value}");
    }
}

#[test]
fn variable_may_hold_a_list_or_a_map() {
    let (text, data) = field("${env:ENV}", &[("ENV", "[filelog,windowseventlog/application]")]);
    assert_eq!(text.unwrap(), "[filelog,windowseventlog/application]");
    let Data::List(items) = data else { panic!("{data:?}") };
    assert_eq!(items.iter().filter_map(Node::as_str).collect::<Vec<_>>(), ["filelog", "windowseventlog/application"]);
    assert_eq!(field("${env:ENV}", &[("ENV", "1111:1111:1111:1111:1111::")]).0.unwrap(), "1111:1111:1111:1111:1111::");
}

#[test]
fn text_of_a_variable_is_put_into_a_longer_text() {
    let cases = [
        "123",
        "0123",
        "0xdeadbeef",
        "\"0123\"",
        "!!str 0123",
        "{\"field\": 123}",
        "1111:1111:1111:1111:1111::",
        "[\"a\",",
        "[filelog,windowseventlog/application]",
    ];
    for value in cases {
        let whole = format!("inline field with {value} expansion");
        assert_eq!(
            field("inline field with ${env:ENV} expansion", &[("ENV", value)]),
            (Some(whole.clone()), Data::String(whole.as_str().into()))
        );
    }
}

#[test]
fn dollar_signs_are_escaped_by_doubling() {
    let variables = [("ENV_VALUE", "some expanded value")];
    // The Collector's table `expand-escaped-env.yaml`.
    for (text, result) in [
        ("$$ENV_VALUE", "$ENV_VALUE"),
        ("$$$$ENV_VALUE", "$$ENV_VALUE"),
        ("$$${ENV_VALUE}", "$some expanded value"),
        ("some${ENV_VALUE}text", "somesome expanded valuetext"),
        ("some$${ENV_VALUE}text", "some${ENV_VALUE}text"),
        ("$${ONE}$${TWO}", "${ONE}${TWO}"),
        ("text$$", "text$"),
        ("$$", "$"),
        ("$${1}$${env:2}", "${1}${env:2}"),
        ("some$${env:ENV_VALUE}text", "some${env:ENV_VALUE}text"),
        ("$${env:${ENV_VALUE}}", "${env:some expanded value}"),
        ("$${env:$${ENV_VALUE}}", "${env:${ENV_VALUE}}"),
        ("env:MAP_VALUE_2}$${ENV_VALUE}{", "env:MAP_VALUE_2}${ENV_VALUE}{"),
        ("$$${env:ENV_VALUE}", "$some expanded value"),
        ("$ENV_VALUE", "$ENV_VALUE"),
        // Ours: an escaped reference does not stop the next one.
        ("$${ONE} ${ENV_VALUE}", "${ONE} some expanded value"),
        ("${ENV_VALUE} $${ENV_VALUE}", "some expanded value ${ENV_VALUE}"),
    ] {
        assert_eq!(field(text, &variables).0.unwrap(), result, "{text}");
    }
    for (value, result) in [
        ("$$ENV", "$ENV"),
        ("$${ENV}", "${ENV}"),
        ("[\"filelog\",\"$${env:ENV_VALUE}\"]", "[\"filelog\",\"${env:ENV_VALUE}\"]"),
        ("here are 2 $$$", "here are 2 $$"),
    ] {
        assert_eq!(field("${env:ENV}", &[("ENV", value)]).0.unwrap(), result, "{value}");
    }
}

#[test]
fn half_references_stay_text_and_whole_ones_beside_them_expand() {
    let variables = [("HOST", "localhost"), ("PORT", "3044"), ("OS", "ubuntu")];
    for (text, result) in [
        ("${HOST", "${HOST"),
        ("HO{ST}", "HO{ST}"),
        ("env:HOST}${env:PORT", "env:HOST}${env:PORT"),
        ("env:HOST}${env:PORT}", "env:HOST}3044"),
        ("${env:HOST${env:PORT}", "${env:HOST3044"),
        ("${env:HOST}}}}}}${env:PORT?os=${env:OS}", "localhost}}}}}${env:PORT?os=ubuntu"),
        ("${env:HOST}${${${${${env:PORT}?os=${env:OS}", "localhost${${${${3044?os=ubuntu"),
    ] {
        assert_eq!(field(text, &variables).0.unwrap(), result, "{text}");
    }
}

#[test]
fn references_nest_and_what_they_give_is_expanded_again() {
    let variables = [
        ("ENV", "The value ${env:ENV2} is wrapped"),
        ("ENV2", "The value ${env:ENV3} is wrapped"),
        ("ENV3", "123"),
        ("NAME", "ENV3"),
    ];
    assert_eq!(field("${env:ENV}", &variables).0.unwrap(), "The value The value 123 is wrapped is wrapped");
    assert_eq!(field("${env:${NAME}}", &variables).1, number(123));
    assert_eq!(field("${env:NONE:-${ENV3}}", &variables).1, number(123));
}

#[test]
fn map_out_of_a_variable_is_expanded_in_its_values_and_in_its_text() {
    let variables = [
        ("ENV", "{env: \"${env:ENV2}\", inline: \"inline ${env:ENV2}\"}"),
        ("ENV2", "{env2: \"${env:ENV3}\"}"),
        ("ENV3", "{value: 123}"),
    ];
    let (root, _) = expanded("field: ${env:ENV}", &variables);
    let field = root.get("field").unwrap();
    assert_eq!(field.raw.as_deref().unwrap(), r#"{env: "{env2: "{value: 123}"}", inline: "inline {env2: "{value: 123}"}"}"#);
    assert_eq!(field.walk(["env", "env2", "value"]).0.data, number(123));
    assert_eq!(field.get("inline").unwrap().as_str().unwrap(), r#"inline {env2: "{value: 123}"}"#);
    assert_eq!(field.walk(["env", "env2", "value"]).0.origin.to_string(), "c.yaml:1:8");
}

#[test]
fn default_is_used_when_the_variable_is_unset_and_only_then() {
    assert_eq!(field("${env:X:-5}", &[]), (Some("5".to_owned()), number(5)));
    assert_eq!(field("${env:X:-a:-b}", &[]).0.unwrap(), "a:-b");
    assert_eq!(field("${env:X:-}", &[]), (Some(String::new()), Data::String("".into())));
    assert_eq!(field("${env:X:-5}", &[("X", "")]), (Some(String::new()), Data::Null));
}

#[test]
fn unset_variable_is_null_with_one_warning() {
    let (root, findings) = expanded("a: ${env:NONE}\nb: x${NONE}y\n", &[]);
    assert_eq!(root.get("a").unwrap().data, Data::Null);
    assert_eq!(root.get("b").unwrap().as_str(), Some("xy"));
    assert_eq!(
        findings.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "c.yaml:1:4: a: configuration references unset environment variable \"NONE\"",
            "c.yaml:2:4: b: configuration references unset environment variable \"NONE\""
        ]
    );
}

#[test]
fn comment_in_a_variable_may_hold_anything_unless_its_text_is_needed() {
    let variables = [("ENV", "true # comment with a ${env:hello.world} reference")];
    let (root, findings) = expanded("field: ${env:ENV}", &variables);
    assert!(findings.problems.is_empty());
    assert_eq!(root.get("field").unwrap().data, Data::Bool(true));
    assert_eq!(root.get("field").unwrap().raw, None);
    assert_eq!(
        problem("field: inline ${env:ENV}", &variables),
        "c.yaml:1:8: field: environment variable \"hello.world\" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$"
    );
}

#[test]
fn bad_references_are_refused_in_the_collectors_words() {
    assert_eq!(problem("a: {b: '${g_c_s:VALUE}'}", &[]), "c.yaml:1:8: a::b: invalid uri: \"g_c_s:VALUE\"");
    assert_eq!(problem("a: '${env:$VALUE}'", &[]), "c.yaml:1:4: a: the uri \"env:$VALUE\" contains unsupported characters ('$')");
    assert_eq!(
        problem("a: ${http:x.yaml}", &[]),
        "c.yaml:1:4: a: scheme \"http\" is not supported for uri \"http:x.yaml\"; allowed: env, file, yaml"
    );
    assert_eq!(
        problem("a: ${NAME:-x}", &[]),
        "c.yaml:1:4: a: scheme \"NAME\" is not supported for uri \"NAME:-x\"; allowed: env, file, yaml; did you mean \"${env:NAME:-x}\"?"
    );
    assert!(problem("a: ${}", &[]).starts_with("c.yaml:1:4: a: environment variable \"\" has invalid name"));
}

#[test]
fn all_bad_references_are_reported() {
    assert_eq!(problem("a: ${x y}\nb: [1, '${1}']\n", &[]).lines().count(), 2);
}

#[test]
fn reference_to_itself_ends() {
    assert_eq!(problem("a: ${A}", &[("A", "${A}")]), "c.yaml:1:4: a: too many recursive expansions");
    assert_eq!(problem("a: ${A}", &[("A", "x${A}")]), "c.yaml:1:4: a: too many recursive expansions");
}

#[test]
fn texts_that_double_are_stopped() {
    let names: Vec<String> = (0..60).map(|i| format!("V{i}")).collect();
    let values: Vec<String> = (1..=60).map(|i| format!("${{V{i}}}${{V{i}}}")).collect();
    let variables: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(values.iter().map(String::as_str)).chain([("V60", "xxxxxxxx")]).collect();
    assert_eq!(problem("a: ${V0}", &variables), "c.yaml:1:4: a: too many recursive expansions");
    let big = "y".repeat(1 << 20);
    assert_eq!(
        problem(&format!("a: '{}'", "${BIG}".repeat(40)), &[("BIG", &big)]),
        "c.yaml:1:4: a: expansions produce more than 16777216 bytes"
    );
}

#[test]
fn trees_that_nest_through_variables_are_stopped() {
    let found = problem("a: ${A}", &[("A", "{a: '${A}'}")]);
    assert!(found.contains("nested deeper than 64 levels"), "{found}");
}

#[test]
fn message_shows_what_is_written_and_not_what_came_out() {
    let (root, _) = expanded("a: ${TOKEN}\nb: 'x ${TOKEN}'\nc: plain\n", &[("TOKEN", "hunter2")]);
    assert_eq!(root.get("a").unwrap().shown().unwrap().as_ref(), "${TOKEN}");
    assert_eq!(root.get("b").unwrap().shown().unwrap().as_ref(), "x ${TOKEN}");
    assert_eq!(root.get("c").unwrap().shown().unwrap().as_ref(), "\"plain\"");
}

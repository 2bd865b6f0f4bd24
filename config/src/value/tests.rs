use super::*;

fn duration(text: &str) -> Option<u128> {
    text.parse::<Duration>().ok().map(|d| d.get().as_nanos())
}

fn size(text: &str) -> Option<u64> {
    text.parse::<ByteSize>().ok().map(ByteSize::get)
}

#[test]
fn duration_takes_go_syntax() {
    let cases = [
        ("0", 0),
        ("1h2m3s", 3_723_000_000_000),
        ("500ms", 500_000_000),
        ("1.5s", 1_500_000_000),
        (".5s", 500_000_000),
        ("1.s", 1_000_000_000),
        ("+5s", 5_000_000_000),
        ("2us3ns", 2_003),
        ("7\u{b5}s", 7_000),
        ("1.9999ns", 1),
        ("9223372036854775807ns", 9_223_372_036_854_775_807),
    ];
    for (text, nanos) in cases {
        assert_eq!(duration(text), Some(nanos), "{text}");
    }
}

#[test]
fn duration_refuses_what_go_refuses_and_negatives() {
    for text in ["", "5", "s", ".s", "1..5s", "1s ", "-1s", "1d", "1 s", "9223372036854775808ns", "99999999999999999999h", "+"] {
        assert_eq!(duration(text), None, "{text:?}");
    }
}

#[test]
fn duration_prints_what_a_person_would_write() {
    for text in ["0s", "1h2m3s", "1h", "5m", "1m0.5s", "500ms", "1.5s", "1.5ms", "1us", "3ns"] {
        assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
    }
}

#[test]
fn size_takes_binary_and_decimal_units_and_plain_bytes() {
    let cases = [
        ("1048576", 1_048_576),
        ("64MiB", 64 << 20),
        ("64 MiB", 64 << 20),
        ("10M", 10_000_000),
        ("10MB", 10_000_000),
        ("2g", 2_000_000_000),
        ("1.5KiB", 1_536),
        ("7B", 7),
        ("18446744073709551615", u64::MAX),
    ];
    for (text, bytes) in cases {
        assert_eq!(size(text), Some(bytes), "{text}");
    }
    for text in ["", "MiB", "-1", "1.5", "1e3", "18446744073709551616", "99999999TiB", "1.2.3M", "0x10", "+1"] {
        assert_eq!(size(text), None, "{text:?}");
    }
    for text in ["0", "1KiB", "64MiB", "3GiB", "1000"] {
        assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
    }
}

#[test]
fn percent_is_never_a_ratio() {
    for (text, percent) in [("5%", 5.0), ("5", 5.0), ("0.5 %", 0.5), ("0", 0.0), ("200%", 200.0)] {
        assert!((text.parse::<Percent>().unwrap().get() - percent).abs() < 1e-12, "{text}");
    }
    for text in ["", "%", "-5%", "inf", "NaN", "1e3", "5%%", "five"] {
        assert!(text.parse::<Percent>().is_err(), "{text:?}");
    }
    assert_eq!("2.5%".parse::<Percent>().unwrap().to_string(), "2.5%");
    assert!((Percent::new(5).ratio() - 0.05).abs() < 1e-12);
}

#[test]
fn endpoint_is_host_and_port() {
    for (text, host, port) in [
        ("localhost:0", "localhost", 0),
        ("[::]:4317", "::", 4317),
        ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
        (":8888", "", 8888),
        ("0.0.0.0:4318", "0.0.0.0", 4318),
    ] {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!((endpoint.host(), endpoint.port(), endpoint.to_string().as_str()), (host, port, text));
    }
    for text in
        ["", "localhost", "localhost:", "localhost:65536", "::1:80", "[::1]", "[::1:80", "[x]:1", "http://a:1", "a b:1", "a:+1"]
    {
        assert!(text.parse::<Endpoint>().is_err(), "{text:?}");
    }
}

#[test]
fn secret_never_shows_itself() {
    let secret: Secret = serde_json::from_str(r#""hunter2""#).unwrap();
    assert_eq!(secret.expose(), "hunter2");
    let shown = format!("{secret} {secret:?} {}", serde_json::to_string(&secret).unwrap());
    assert_eq!(shown, r#"[REDACTED] [REDACTED] "[REDACTED]""#);
}

#[test]
fn values_come_from_text_or_number_and_go_back_to_text() {
    assert_eq!(serde_json::from_str::<ByteSize>("1024").unwrap(), ByteSize::new(1024));
    assert_eq!(serde_json::from_str::<Percent>("2.5").unwrap().to_string(), "2.5%");
    assert_eq!(serde_json::from_str::<Duration>("0").unwrap(), Duration::default());
    assert!(serde_json::from_str::<Duration>("5").is_err());
    assert_eq!(serde_json::to_string(&Duration::from_millis(1500)).unwrap(), r#""1.5s""#);
}

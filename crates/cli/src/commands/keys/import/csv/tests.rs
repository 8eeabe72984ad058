use super::*;

#[test]
fn a_spreadsheet_is_read_with_the_lines_of_its_records() {
    let text = include_str!("../../../../../tests/import/keys.csv");
    let reading = read(text).unwrap();
    let records: Vec<_> = reading
        .records
        .iter()
        .map(|record| (record.line, record.key.clone().map(Value::Object)))
        .collect();
    assert_eq!(
        records[0],
        (
            2,
            Ok(json!({
                "name": "Shop page, new", "environment": "live", "owner": "customer-17",
                "referrers": ["https://shop.example.com", "https://*.example.org"],
                "metadata": {"team": "web"}, "secret": "legacy-0123456789-shop-page",
            }))
        )
    );
    // Its first record goes over two lines.
    assert_eq!(records[1].0, 4);
    let job = records[1].1.as_ref().unwrap();
    assert_eq!(job["scopes"], json!(["orders:read", "orders:write"]));
    assert_eq!(
        job["paths"],
        json!(["GET /v1/orders/**", "POST /v1/orders"])
    );
    assert_eq!(job["delete_protection"], true);
    assert_eq!(
        records[2],
        (5, Err(error("delete_protection", "must be true or false")))
    );
    assert!(records[3].1.is_err() && records[3].0 == 6);
    assert_eq!(records.len(), 5);
}

#[test]
fn lines_are_counted_over_blank_ones_and_with_any_line_end() {
    for end in ["\n", "\r\n"] {
        let text = [
            "owner,secret",
            "a,x",
            "",
            "b",
            "\"c",
            "d\",y",
            "",
            "",
            "e,z",
        ]
        .join(end);
        let reading = read(&text).unwrap();
        let lines: Vec<_> = reading
            .records
            .iter()
            .map(|record| (record.line, record.key.is_ok()))
            .collect();
        assert_eq!(lines, [(2, true), (4, false), (5, true), (9, true)]);
    }
}

#[test]
fn semicolons_and_tabs_may_separate_the_cells() {
    for text in ["secret;owner\nx;me\n", "secret\towner\nx\tme\n"] {
        let reading = read(text).unwrap();
        let key = reading.records[0].key.clone().unwrap();
        assert_eq!(Value::Object(key), json!({"secret": "x", "owner": "me"}));
    }
}

#[test]
fn a_header_that_is_not_understood_refuses_the_file() {
    for (text, part) in [
        ("secret,Colour\n", "\"Colour\""),
        ("name,owner\n", "neither"),
        ("secret,secret\n", "two columns"),
        ("secret,metadata.\n", "metadata."),
        ("", "neither"),
    ] {
        let message = read(text).map(|_| ()).unwrap_err();
        assert!(message.contains(part), "{text}: {message}");
    }
}

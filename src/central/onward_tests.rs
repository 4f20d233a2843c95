//! One central hands on to another: our client against our own server, each with its own keys.

use std::time::Duration;

use serde_json::Value;

use super::desk_tests::{staff, token};
use super::tests::City;
use crate::app::central::RunningCentral;
use crate::config::openrosa::OnwardConfig;
use crate::domain::desk::DeskRole;
use crate::domain::submission::Attachment;

fn onward(central: &RunningCentral, password: &std::path::Path) -> OnwardConfig {
    OnwardConfig {
        name: "province".into(),
        url: Some(format!("http://{}/openrosa", central.address)),
        url_file: None,
        user: Some("quito".into()),
        password_file: Some(password.to_owned()),
        authority: None,
        lookup: None,
        procedures: None,
    }
}

/// What the first central says of the second, once it says this of it.
async fn until(city: &City, central: &RunningCentral, fits: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..500 {
        let (_, view) = city.look(central, DeskRole::Admin, "/api/v1/onward").await;
        last = view["servers"][0].clone();
        if fits(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_central_hands_on_to_another_with_files_and_says_how_it_stands() {
    let (mut province, mut city) = (City::new(), City::new());
    staff(&province).await;
    staff(&city).await;
    let above = province.start().await;
    let list = province
        .http
        .get(format!("http://{}/openrosa/formList", above.address));
    let list = list
        .basic_auth("x", Some(token(DeskRole::Collector)))
        .send()
        .await
        .expect("an answer");
    let list = crate::sync::openrosa::list::read_forms(&list.text().await.expect("text")).expect("a list");
    let (form, version) = (list[0].id.clone(), list[0].version.clone());

    let password = city.folder.path().join("province.password");
    std::fs::write(&password, token(DeskRole::Collector) + "\n").expect("written");
    city.config.onward = vec![onward(&above, &password)];
    let central = city.start().await;
    let instance = |n: u8, files: &str| {
        format!(
            "<?xml version='1.0' ?><data id=\"{form}\" version=\"{version}\"><x>Quishpe</x>{files}\
             <meta><instanceID>uuid:0192f0aa-0000-4000-8000-00000000000{n}</instanceID></meta></data>"
        )
    };
    let signed = instance(1, "<firma>firma-1.svg</firma><foto>f.png</foto>");
    let files = vec![
        Attachment::of_text("firma-1.svg", "image/svg+xml", "<svg>Quishpe</svg>".into()),
        Attachment::of_bytes("f.png", "image/png", &[0, 159, 146, 150]),
    ];
    city.hand_in_with(&central, "residencia", &signed, files).await;
    city.hand_in_of(&central, "residencia", &instance(2, "")).await;
    // The same id with other words, as from a telephone that had it twice.
    city.hand_in_of(&central, "residencia", &instance(2, "<y/>"))
        .await;
    let view = until(&city, &central, |view| {
        view["received"] == 2 && view["stuck"] == 1
    })
    .await;
    assert_eq!(
        (view["line"].as_str(), view["queued"].as_i64()),
        (Some("up"), Some(0))
    );
    assert_eq!(view["rows"][0]["why"], "conflict");
    assert!(!view.to_string().contains("Quishpe"));

    let (_, there) = province.json(&above, "/api/v1/submissions").await;
    let there = there["submissions"].as_array().expect("a list").clone();
    assert_eq!(there.len(), 2);
    let id = there[0]["id"].as_str().expect("an id");
    let path = format!("/api/v1/submissions/{id}/content");
    let (_, content) = province.look(&above, DeskRole::Reader, &path).await;
    assert_eq!(
        content["instance_xml"].as_str(),
        Some(signed.as_str()),
        "byte for byte"
    );
    let files: Vec<Attachment> = serde_json::from_value(content["attachments"].clone()).expect("files");
    let bytes: Vec<_> = files
        .iter()
        .map(|file| (file.name.as_str(), file.bytes().expect("bytes").to_vec()))
        .collect();
    assert_eq!(
        bytes,
        [
            ("f.png", vec![0, 159, 146, 150]),
            ("firma-1.svg", b"<svg>Quishpe</svg>".to_vec())
        ]
    );

    // The one above is away: what comes meanwhile waits, and nothing of it is lost.
    province.stop(above).await;
    city.hand_in_of(&central, "residencia", &instance(3, "")).await;
    let view = until(&city, &central, |view| {
        view["queued"] == 1 && view["line"] == "down"
    })
    .await;
    assert_eq!(view["why"], "no_connection");
    city.stop(central).await;
}

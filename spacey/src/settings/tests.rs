//! What the settings accept, refuse, and say about it.

use std::collections::BTreeMap;

use super::Settings;
use super::reader::Origin;

fn load(pairs: &[(&str, &str)]) -> Result<Settings, String> {
    let environment: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::load(environment).map_err(|errors| errors.to_string())
}

fn load_file(text: &str, pairs: &[(&str, &str)]) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spacey.toml");
    std::fs::write(&path, text).unwrap();
    let mut pairs = pairs.to_vec();
    let path = path.display().to_string();
    pairs.push(("SPACEY_CONFIG", &path));
    load(&pairs)
}

#[test]
fn without_anything_the_defaults_hold() {
    let settings = load(&[]).unwrap();
    assert_eq!(
        (settings.listen.host.to_string().as_str(), settings.listen.port),
        ("127.0.0.1", 8080)
    );
    assert!(settings.data.mongo.is_none() && !settings.http.secure_cookies);
    assert!(settings.shown.iter().all(|shown| shown.origin == Origin::Default));
}

#[test]
fn the_environment_wins_over_the_file() {
    let settings =
        load_file("port = 9000\ndata_dir = \"/srv/spacey\"", &[("PORT", "9001")]).unwrap();
    assert_eq!(settings.listen.port, 9001);
    assert_eq!(settings.data.dir.to_str(), Some("/srv/spacey"));
    let origin = |name| {
        settings.shown.iter().find(|shown| shown.name == name).map(|shown| shown.origin.clone())
    };
    assert_eq!(origin("PORT"), Some(Origin::Environment));
    assert!(matches!(origin("SPACEY_DATA_DIR"), Some(Origin::File(_))));
}

#[test]
fn every_wrong_setting_is_named_with_what_is_accepted() {
    let message = load(&[("PORT", "80a"), ("SPACEY_LOG_FORMAT", "xml")]).unwrap_err();
    assert!(
        message.contains("PORT is \"80a\" (from environment): a port from 0 to 65535"),
        "{message}"
    );
    assert!(message.contains("SPACEY_LOG_FORMAT is \"xml\""), "{message}");
}

#[test]
fn an_unknown_key_of_the_file_is_refused() {
    let message = load_file("prot = 9000", &[]).unwrap_err();
    assert!(message.contains("there is no setting \"prot\""), "{message}");
}

#[test]
fn secrets_are_shown_nowhere() {
    let secret = "mongodb://spacey:hunter2@db/?replicaSet=rs0";
    let settings = load(&[("MONGO_DB_CONNECTION", secret)]).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    let message = load(&[("SPACEY_SERVICE_SECRET", "hunter2")]).unwrap_err();
    assert!(message.contains("SPACEY_SERVICE_SECRET") && !message.contains("hunter2"), "{message}");
}

#[test]
fn a_demo_account_is_refused_where_others_can_reach_it() {
    let message = load(&[("SPACEY_DEMO", "true"), ("SPACEY_HOST", "0.0.0.0")]).unwrap_err();
    assert!(message.contains("loopback address only"), "{message}");
}

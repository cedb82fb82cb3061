//! What the settings accept, refuse, and say about it.

use std::collections::BTreeMap;
use std::time::Duration;

use gateway::{HttpVersion, Mode, SubgraphSettings};

use super::Settings;
use super::reader::Origin;
use users::mail::SmtpTls;

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

const SUBGRAPHS: &str = r#"
subgraph_retries = 1
[subgraph_defaults]
timeout_seconds = 2.5
breaker = { ratio = 0.9 }
request_headers = [{ propagate = "authorization", rename = "x-token" }, { insert = "x-gateway", value = "spacey" }]
[subgraph.word-list]
url = "http://words.example/graphql"
concurrency = 7
waiting = 28
http = "2"
retry = { budget = 0.5 }
breaker = { enabled = false }
[subgraph.numbers]
request_headers = []
"#;

#[test]
fn what_is_nearer_to_a_subgraph_wins() {
    let settings =
        load_file(SUBGRAPHS, &[("SPACEY_SUBGRAPH_NUMBERS_URL", "http://n.example")]).unwrap();
    let policies = settings.subgraphs.policies;
    assert_eq!(policies.address_of("word-list"), Some("http://words.example/graphql"));
    assert_eq!(policies.address_of("numbers"), Some("http://n.example"));
    assert_eq!(policies.address_of("others"), None);

    let [words, numbers, others] = ["word-list", "numbers", "others"].map(|name| policies.of(name));
    for subgraph in [words, numbers, others] {
        assert_eq!(subgraph.timeout, Duration::from_millis(2500));
        assert_eq!(subgraph.retry.as_ref().unwrap().most, 1);
    }
    assert_eq!((words.concurrency, others.concurrency), (Some(7), None));
    assert_eq!((words.waiting, others.waiting), (28, 1000));
    assert_eq!(words.client.version, HttpVersion::Http2);
    assert_eq!(words.retry.as_ref().unwrap().budget, 0.5);
    assert!(words.breaker.is_none() && numbers.breaker.as_ref().unwrap().ratio == 0.9);
    let rules = |subgraph: &SubgraphSettings| subgraph.headers.request.len();
    assert_eq!((rules(words), rules(numbers), rules(others)), (2, 0, 2));
}

#[test]
fn a_wrong_table_is_named_with_what_is_accepted() {
    for (text, message) in [
        ("[subgraph.a]\ntimeout_seconds = 0", "[subgraph.a] of the file: timeout_seconds is 0"),
        ("[subgraph.a]\ntimout_seconds = 1", "unknown field `timout_seconds`"),
        ("[subgraph.a.retry]\nbudget = 3", "retry.budget is 3: a number from 0 to 1"),
        ("[subgraph.a.retry]\nwait_seconds = 9", "more than retry.longest_wait_seconds"),
        ("[subgraph.a.breaker]\nratio = 0.0", "breaker.ratio is 0"),
        ("[subgraph.a.tls]\nkey = 'key.pem'", "tls.certificate and tls.key go together"),
        ("[subgraph.a.tls]\nauthorities = 'no.pem'", "tls.authorities: no.pem"),
        ("[subgraph_defaults]\nurl = 'http://x'", "url is for one subgraph"),
        ("[[subgraph.a.request_headers]]\npropagate = 'host'", "the header host belongs to one"),
        ("[[subgraph.a.request_headers]]\ninsert = 'x'", "insert needs a value"),
        ("[[subgraph.a.request_headers]]\ninsert = 'x'\nremove = 'y'", "is one of propagate"),
        ("[[subgraph.a.request_headers]]\npropagate_matching = '('", "no regular expression"),
        ("[[subgraph.a.response_headers]]\nmerge = 'first'", "needs propagate"),
        ("[subgraphs]\na = 1", "there is no setting \"subgraphs\""),
    ] {
        let error = load_file(text, &[]).unwrap_err();
        assert!(error.contains(message), "{text}: {error}");
    }
    let error = load(&[("SPACEY_SUBGRAPH_HEADERS", "authorization,host")]).unwrap_err();
    assert!(error.contains("SPACEY_SUBGRAPH_HEADERS"), "{error}");
}

#[test]
fn mail_goes_into_a_folder_unless_there_is_a_server() {
    let settings = load(&[]).unwrap();
    assert!(settings.mail.smtp.is_none());
    assert_eq!(settings.accounts.public_url, "http://127.0.0.1:8080");
    let smtp = |pairs: &[(&str, &str)]| {
        let from = ("SPACEY_MAIL_FROM", "Spacey <noreply@example.org>");
        let host = ("SPACEY_SMTP_HOST", "mail.example.org");
        load(&[&[host, from], pairs].concat()).map(|settings| settings.mail.smtp.unwrap())
    };
    let server = smtp(&[]).unwrap();
    assert_eq!((server.port, server.tls), (587, SmtpTls::StartTls));
    let server = smtp(&[("SPACEY_SMTP_TLS", "implicit")]).unwrap();
    assert_eq!((server.port, server.tls), (465, SmtpTls::Implicit));
    for (pairs, message) in [
        (&[("SPACEY_SMTP_USER", "spacey")][..], "SPACEY_SMTP_PASSWORD go together"),
        (&[("SPACEY_MAIL_FROM", "nobody")], "\"nobody\" is no sender"),
        (&[("SPACEY_SMTP_TLS", "ssl")], "starttls, implicit and off are accepted"),
        (
            &[
                ("SPACEY_SMTP_TLS", "off"),
                ("SPACEY_SMTP_USER", "spacey"),
                ("SPACEY_SMTP_PASSWORD", "secret"),
            ],
            "it would be sent for everybody to read",
        ),
    ] {
        let error = smtp(pairs).unwrap_err();
        assert!(error.contains(message) && !error.contains("secret\""), "{error}");
    }
}

#[test]
fn people_of_another_issuer_get_accounts_when_that_is_set() {
    let issuer = [
        ("SPACEY_ISSUER", "https://id.example"),
        ("SPACEY_ISSUER_AUDIENCE", "spacey"),
        ("SPACEY_ISSUER_JWKS_URL", "https://id.example/keys"),
    ];
    let with = |more: &[(&str, &str)]| load(&[&issuer[..], more].concat());
    let accounts = |more| with(more).unwrap().keys.issuer.unwrap().accounts;
    assert!(!accounts(&[]) && accounts(&[("SPACEY_ISSUER_ACCOUNTS", "true")]));
    let both = [("SPACEY_ISSUER_ACCOUNTS", "true"), ("SPACEY_ISSUER_USER_CLAIM", "account")];
    let message = with(&both).unwrap_err();
    assert!(message.contains("SPACEY_ISSUER_USER_CLAIM exclude each other"), "{message}");
    let message = load(&both[..1]).unwrap_err();
    assert!(message.contains("SPACEY_ISSUER_ACCOUNTS needs SPACEY_ISSUER"), "{message}");
    let message = with(&[("SPACEY_ISSUER_ACCOUNTS", "perhaps")]).unwrap_err();
    assert!(message.contains("SPACEY_ISSUER_ACCOUNTS is \"perhaps\""), "{message}");
}

#[test]
fn addresses_and_networks_are_checked() {
    let settings = load(&[
        ("SPACEY_PUBLIC_URL", "https://spacey.example.org/app/"),
        ("SPACEY_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1,2001:db8::/32"),
        ("SPACEY_DELETION_GRACE_DAYS", "0"),
    ]);
    let settings = settings.unwrap();
    assert_eq!(settings.accounts.public_url, "https://spacey.example.org/app");
    assert_eq!(settings.http.trusted_proxies.len(), 3);
    for (name, value) in [
        ("SPACEY_PUBLIC_URL", "javascript:alert(1)"),
        ("SPACEY_PUBLIC_URL", "https://user:password@example.org"),
        ("SPACEY_PUBLIC_URL", "https://example.org/?a=b"),
        ("SPACEY_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("SPACEY_TRUSTED_PROXIES", "proxy.example.org"),
        ("SPACEY_SECURITY_EVENT_DAYS", "0"),
    ] {
        assert!(load(&[(name, value)]).unwrap_err().contains(name), "{name}={value}");
    }
}

#[test]
fn values_of_the_config_domain_are_read_shown_and_checked() {
    let file = "config_theme = \"LIGHT\"\nconfig_deck_colors = [\"#000000\", \"#ffffff\"]";
    let settings = load_file(file, &[("SPACEY_CONFIG_THEME", "DARK")]).unwrap();
    let shown = |name: &str| {
        let shown = settings.shown.iter().find(|shown| shown.name == name).unwrap();
        (shown.value.clone(), shown.origin == Origin::Environment)
    };
    assert_eq!(shown("SPACEY_CONFIG_THEME"), ("\"DARK\"".into(), true));
    let colors = r##"["#000000","#ffffff"]"##;
    assert_eq!(shown("SPACEY_CONFIG_DECK_COLORS"), (colors.into(), false));

    let wrong = [("SPACEY_CONFIG_SIGN_UP_OPEN", "yes"), ("SPACEY_CONFIG_COLOUR", "#000000")];
    let message = load(&wrong).unwrap_err();
    let accepted = "SPACEY_CONFIG_SIGN_UP_OPEN: \"yes\" is not accepted: expected true or false";
    assert!(message.contains(accepted), "{message}");
    assert!(message.contains("SPACEY_CONFIG_COLOUR: there is no such setting"), "{message}");
}

#[test]
fn developers_are_offered_more_where_strangers_are_not() {
    for (pairs, offered) in [
        (&[][..], true),
        (&[("SPACEY_HOST", "0.0.0.0")], false),
        (&[("SPACEY_HOST", "0.0.0.0"), ("SPACEY_MODE", "development")], true),
        (
            &[
                ("SPACEY_HOST", "0.0.0.0"),
                ("SPACEY_INTROSPECTION", "true"),
                ("SPACEY_GRAPHIQL", "true"),
            ],
            true,
        ),
        (&[("SPACEY_INTROSPECTION", "false"), ("SPACEY_GRAPHIQL", "false")], false),
    ] {
        let http = load(pairs).unwrap().http;
        assert_eq!((http.introspection, http.graphiql), (offered, offered), "{pairs:?}");
    }
}

#[test]
fn files_have_limits_that_go_together() {
    let uploads = load(&[]).unwrap().uploads;
    assert_eq!((uploads.gateway.file_bytes, uploads.media.file_bytes), (10 << 20, 10 << 20));
    let pairs = [("SPACEY_UPLOAD_FILE_BYTES", "1000"), ("SPACEY_MEDIA_FILES", "7")];
    let uploads = load(&pairs).unwrap().uploads;
    assert_eq!((uploads.gateway.file_bytes, uploads.media.file_bytes), (1000, 1000));
    assert_eq!(uploads.media.files, 7);
    let message = load(&[("SPACEY_UPLOAD_BYTES", "1000")]).unwrap_err();
    assert!(message.contains("SPACEY_UPLOAD_BYTES is 1000, less than"), "{message}");
    let message = load(&[("SPACEY_UPLOADS_BYTES", "1000")]).unwrap_err();
    assert!(message.contains("SPACEY_UPLOADS_BYTES is 1000, less than"), "{message}");
    let message = load(&[("SPACEY_UPLOAD_FILES", "0")]).unwrap_err();
    assert!(message.contains("a number from 1 to 1000 is accepted"), "{message}");
}

#[test]
fn costs_are_enforced_unless_the_command_or_a_setting_says_otherwise() {
    let settings = load(&[("SPACEY_COST_THROTTLE_MODE", "measure")]).unwrap();
    let rules = settings.cost.rules(Mode::Enforce);
    assert_eq!((rules.maximum, rules.throttle), (Mode::Enforce, Mode::Measure));
    let rules = settings.cost.rules(Mode::Off);
    assert_eq!((rules.maximum, rules.throttle), (Mode::Off, Mode::Measure));
    let settings = load(&[("SPACEY_COST_CAPACITY_BETA", "7"), ("SPACEY_COST_MAXIMUM", "900")]);
    let rules = settings.unwrap().cost.rules(Mode::Enforce);
    assert_eq!((rules.beta.capacity, rules.beta.restore_rate, rules.maximum_cost), (7, 1_000, 900));
}

#[test]
fn a_maximum_that_no_bucket_holds_is_refused() {
    let message = load(&[("SPACEY_COST_MAXIMUM", "10001")]).unwrap_err();
    assert!(message.contains("SPACEY_COST_CAPACITY 10000"), "{message}");
    load(&[("SPACEY_COST_MAXIMUM", "10001"), ("SPACEY_COST_THROTTLE_MODE", "off")]).unwrap();
    let message = load(&[("SPACEY_COST_RESTORE", "0")]).unwrap_err();
    assert!(message.contains("from 1 to 1000000000"), "{message}");
    let message = load(&[("SPACEY_COST_MAXIMUM_MODE", "on")]).unwrap_err();
    assert!(message.contains("enforce, measure and off"), "{message}");
}

#[test]
fn gateways_share_buckets_where_there_is_an_address_which_is_shown_nowhere() {
    let shared =
        |pairs: &[(&str, &str)]| Ok::<_, String>(load(pairs)?.cost.rules(Mode::Enforce).shared);
    assert!(shared(&[]).unwrap().is_none());
    let url = ("SPACEY_REDIS_URL", "rediss://spacey:hunter2@redis.internal:6380/3");
    let found = shared(&[url, ("SPACEY_GATEWAYS", "3")]).unwrap().unwrap();
    assert_eq!((found.timeout, found.gateways), (Duration::from_millis(100), 3));
    let settings = load(&[url]).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    for wrong in
        ["redis.internal:6379", "http://hunter2@redis", "redis://redis/hunter2", "redis:///0"]
    {
        let message = shared(&[("SPACEY_REDIS_URL", wrong)]).unwrap_err();
        assert!(message.contains("SPACEY_REDIS_URL") && !message.contains("hunter2"), "{message}");
    }
    let message = shared(&[("SPACEY_GATEWAYS", "0"), url]).unwrap_err();
    assert!(message.contains("a number from 1 to 10000 is accepted"), "{message}");
}

//! Accounts of people for whom another issuer vouches.

use common::vouched::{Admission, Admissions, Vouched};
use common::{Client, Roles, SessionId, Viewer};
use futures::future::join_all;
use serde_json::json;

use crate::world::{LOG_IN, PASSWORD, SIGN_UP, World, error_of};

const ME: &str = "{ viewer { id email name emailVerified roles } }";
const EVENTS: &str = "{ viewer { securityEvents { nodes { kind detail origin { userAgent } } } } }";
const REQUEST: &str = "mutation($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) { email } }";
const RESET: &str =
    "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { email } }";

fn ada() -> Vouched {
    Vouched {
        issuer: "https://id.example".into(),
        subject: "ada".into(),
        email: Some("Ada@Example.org".into()),
        email_verified: true,
        name: Some("Ada L.".into()),
    }
}

impl World {
    async fn admit(&self, person: &Vouched) -> Admission {
        let client = Client::new(Some([192, 0, 2, 9].into()), Some("Browser"));
        self.users.admit(person, &client).await.unwrap()
    }

    async fn account(&self, person: &Vouched) -> Viewer {
        match self.admit(person).await {
            Admission::Account { user, roles, verified } => {
                Viewer { verified, ..Viewer::new(user, SessionId::new(), roles) }
            }
            refused => panic!("{refused:?}"),
        }
    }
}

pub(crate) async fn a_person_gets_an_account_once(world: World) {
    let person = ada();
    let came = join_all((0..6).map(|_| world.account(&person))).await;
    let first = &came[0];
    assert!(came.iter().all(|viewer| viewer.user == first.user && viewer.verified));
    let me = world.data(Some(first), ME, json!({})).await["viewer"].take();
    let expected = json!({ "id": first.user.to_string(), "email": "ada@example.org",
        "name": "Ada L.", "emailVerified": true, "roles": ["USER"] });
    assert_eq!(me, expected);
    let events = world.data(Some(first), EVENTS, json!({})).await;
    let expected = json!([{ "kind": "SIGNED_UP", "detail": "https://id.example",
        "origin": { "userAgent": "Browser" } }]);
    assert_eq!(events["viewer"]["securityEvents"]["nodes"], expected);

    // Whatever the issuer tells later, it is the same account, and its address stays.
    let moved = Vouched { email: Some("new@example.org".into()), name: None, ..ada() };
    assert_eq!(world.account(&moved).await.user, first.user);
    assert_eq!(world.account(&Vouched { email: None, ..ada() }).await.user, first.user);
    assert_eq!(world.data(Some(first), ME, json!({})).await["viewer"]["email"], "ada@example.org");
    let elsewhere = Vouched {
        issuer: "https://other.example".into(),
        email: Some("lovelace@example.org".into()),
        name: Some("\u{202e}".into()),
        ..ada()
    };
    let other = world.account(&elsewhere).await;
    assert_ne!(other.user, first.user);
    let name = world.data(Some(&other), ME, json!({})).await["viewer"]["name"].take();
    assert_eq!(name, "lovelace", "what is no name is made of the address");
    let typed = json!({ "input": { "email": "ada@example.org", "password": "" } });
    assert_eq!(error_of(&world.ask(None, LOG_IN, typed).await.json).0, "WRONG_CREDENTIALS");
}

pub(crate) async fn an_address_that_is_taken_is_never_linked(world: World) {
    let input =
        json!({ "input": { "email": "ada@example.org", "password": PASSWORD, "name": "A" } });
    world.data(None, SIGN_UP, input).await;
    for verified in [true, false] {
        let person = Vouched { email_verified: verified, ..ada() };
        assert_eq!(world.admit(&person).await, Admission::AddressTaken);
    }
    for email in
        [None, Some(""), Some("nonsense"), Some("a@b@c"), Some("ada@example.org\r\nBcc: x")]
    {
        let person = Vouched { email: email.map(str::to_owned), ..ada() };
        assert_eq!(world.admit(&person).await, Admission::NoAddress, "{email:?}");
    }
    let signed_in = world.signed_in("ada@example.org").await;
    let me = world.data(Some(&signed_in), ME, json!({})).await["viewer"].take();
    assert_eq!((&me["name"], &me["emailVerified"]), (&json!("A"), &json!(false)));
}

pub(crate) async fn an_address_counts_as_confirmed_when_the_issuer_says_so(world: World) {
    let unsure = Vouched { email_verified: false, ..ada() };
    let viewer = world.account(&unsure).await;
    assert!(!viewer.verified);
    let other = Vouched { email: Some("other@example.org".into()), ..ada() };
    assert!(!world.account(&other).await.verified, "another address is not this one");
    assert!(world.account(&ada()).await.verified);
    assert!(world.account(&unsure).await.verified, "it stays so");
    let me = world.data(Some(&viewer), ME, json!({})).await["viewer"].take();
    assert_eq!((&me["emailVerified"], viewer.roles), (&json!(true), Roles::default()));
}

pub(crate) async fn who_gets_an_unconfirmed_account_by_mail_has_it_alone(world: World) {
    // Somebody made an account with an address that is not theirs.
    let stranger = Vouched { email_verified: false, ..ada() };
    let account = world.account(&stranger).await.user;
    let ask = json!({ "input": { "email": "ada@example.org" } });
    world.data(None, REQUEST, ask).await;
    let secret = world.secret("ada@example.org", "Set a new password").await;
    let set = json!({ "input": { "token": secret, "newPassword": "her own password" } });
    world.data(None, RESET, set).await;
    assert_eq!(world.admit(&stranger).await, Admission::AddressTaken);
    let own = json!({ "input": { "email": "ada@example.org", "password": "her own password" } });
    let signed_in = world.data(None, LOG_IN, own).await["logIn"]["accessToken"].take();
    let signed_in = world.tokens.verify(signed_in.as_str().unwrap(), world.clock.now()).unwrap();
    assert_eq!((signed_in.user, signed_in.verified), (account, true));

    // An account whose address is confirmed stays linked.
    let eve = Vouched { subject: "eve".into(), email: Some("eve@example.org".into()), ..ada() };
    let before = world.account(&eve).await.user;
    world.data(None, REQUEST, json!({ "input": { "email": "eve@example.org" } })).await;
    let secret = world.secret("eve@example.org", "Set a new password").await;
    let set = json!({ "input": { "token": secret, "newPassword": "another password" } });
    world.data(None, RESET, set).await;
    assert_eq!(world.account(&eve).await.user, before);
}

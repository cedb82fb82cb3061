//! How often things may be tried: slowed down for whoever tries, no obstacle for others, and nothing shows.

use common::Client;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::{LOG_IN, PASSWORD, SIGN_UP, World, error_of};

const REQUEST: &str = "mutation($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) { email } }";

fn from(network: u8) -> Client {
    Client::new(Some([192, 0, 2, network].into()), Some("curl"))
}

impl World {
    /// The code of the answer to a login, `-` for none, and how long to wait.
    async fn try_log_in(&self, client: Client, email: &str, password: &str) -> (String, Value) {
        let input = json!({ "input": { "email": email, "password": password } });
        let answer = self.ask_from(client, None, LOG_IN, input).await.json;
        if answer.get("errors").is_none() {
            return ("-".into(), Value::Null);
        }
        (error_of(&answer).0, answer["errors"][0]["extensions"]["retryAfter"].clone())
    }
}

fn wrong() -> (String, Value) {
    ("WRONG_CREDENTIALS".into(), Value::Null)
}

fn wait(seconds: u64) -> (String, Value) {
    ("THROTTLED".into(), json!(seconds))
}

fn right() -> (String, Value) {
    ("-".into(), Value::Null)
}

pub(crate) async fn wrong_passwords_are_slowed_down_and_nobody_else_is(world: World) {
    world.sign_up("ada@example.org").await;
    // Whether there is an account makes no difference.
    for email in ["ada@example.org", "nobody@example.org"] {
        for _ in 0..6 {
            assert_eq!(world.try_log_in(from(1), email, "wrong horse").await, wrong());
        }
        assert_eq!(world.try_log_in(from(1), email, "wrong horse").await, wait(1));
        assert_eq!(world.try_log_in(from(1), email, PASSWORD).await, wait(1), "nor the right one");
        let typed_otherwise = email.to_uppercase();
        assert_eq!(world.try_log_in(from(1), &typed_otherwise, PASSWORD).await, wait(1));
    }
    assert_eq!(world.try_log_in(from(2), "ada@example.org", PASSWORD).await, right());
    world.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(world.try_log_in(from(1), "ada@example.org", "wrong horse").await, wrong());
    assert_eq!(world.try_log_in(from(1), "ada@example.org", PASSWORD).await, wait(2));
    world.clock.advance(SignedDuration::from_secs(2));
    assert_eq!(world.try_log_in(from(1), "ada@example.org", PASSWORD).await, right());
    for _ in 0..6 {
        let again = world.try_log_in(from(1), "ada@example.org", "wrong horse").await;
        assert_eq!(again, wrong(), "a right one makes all free again");
    }
}

pub(crate) async fn a_guess_from_many_networks_is_no_obstacle_to_the_owner(world: World) {
    world.sign_up("ada@example.org").await;
    assert_eq!(world.try_log_in(from(1), "ada@example.org", PASSWORD).await, right());
    let mut held_up = 0;
    for network in 10..80 {
        let answer = world.try_log_in(from(network), "ada@example.org", "wrong horse").await;
        held_up += u32::from(answer.0 == "THROTTLED");
    }
    assert_eq!(held_up, 19, "50 are free, one more passes, and then a pause is on");
    assert_eq!(world.try_log_in(from(99), "ada@example.org", PASSWORD).await, wait(1));
    for _ in 0..3 {
        assert_eq!(world.try_log_in(from(1), "ada@example.org", PASSWORD).await, right());
    }
    world.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(world.try_log_in(from(99), "ada@example.org", PASSWORD).await, right());
}

pub(crate) async fn mail_to_one_address_is_bounded_and_nothing_shows(world: World) {
    world.sign_up("ada@example.org").await;
    world.mail("ada@example.org", "Confirm your e-mail address").await;
    let request = json!({ "input": { "email": "ada@example.org" } });
    for network in 1..15 {
        let answer = world.ask_from(from(network), None, REQUEST, request.clone()).await.json;
        assert_eq!(answer["data"]["requestPasswordReset"]["email"], "ada@example.org");
    }
    // A mail to another person that was queued after them shows that they are dealt with.
    world.sign_up("eve@example.org").await;
    world.mail("eve@example.org", "Confirm your e-mail address").await;
    let to_ada = async || {
        let letters = world.mailbox.letters().await.unwrap();
        letters.iter().filter(|letter| letter.to == "ada@example.org").count()
    };
    assert_eq!(to_ada().await, 4, "three are free, one more passes, and then a pause is on");
    world.clock.advance(SignedDuration::from_mins(1));
    world.ask_from(from(1), None, REQUEST, request).await;
    for _ in 0..500 {
        if to_ada().await == 5 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("after the pause a mail goes out again");
}

pub(crate) async fn sign_ups_and_resets_of_a_network_are_slowed_down(world: World) {
    let request = json!({ "input": { "email": "nobody@example.org" } });
    let reset = async |network| {
        let answer = world.ask_from(from(network), None, REQUEST, request.clone()).await.json;
        answer["errors"][0]["extensions"]["code"].clone()
    };
    for _ in 0..21 {
        assert_eq!(reset(1).await, Value::Null);
    }
    assert_eq!(reset(1).await, "THROTTLED");
    assert_eq!(reset(2).await, Value::Null);

    let sign_up = async |network, n: u32| {
        let email = format!("person{n}@example.org");
        let input = json!({ "email": email, "password": PASSWORD, "name": "P" });
        let answer = world.ask_from(from(network), None, SIGN_UP, json!({ "input": input }));
        answer.await.json["errors"][0]["extensions"]["code"].clone()
    };
    for n in 0..101 {
        assert_eq!(sign_up(1, n).await, Value::Null);
    }
    assert_eq!(sign_up(1, 101).await, "THROTTLED");
    assert_eq!(world.try_log_in(from(3), "person101@example.org", PASSWORD).await, wrong());
    assert_eq!(sign_up(2, 101).await, Value::Null);
}

pub(crate) async fn limits_outlive_a_restart(world: World) {
    for _ in 0..6 {
        world.try_log_in(from(1), "ada@example.org", "wrong horse").await;
    }
    let world = world.restarted().await;
    assert_eq!(world.try_log_in(from(1), "ada@example.org", "wrong horse").await, wait(1));
}

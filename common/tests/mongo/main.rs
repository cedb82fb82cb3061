//! What holds of every domain's MongoDB database: what is repeated after an error and what is not, that no setting makes writes less than durable, and that TLS and
//! passwords are as the connection string says.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod server;

use std::time::Instant;

use common::StoreError;
use common::mongo::Mongo;
use mongodb::Collection;
use mongodb::bson::{Document, doc};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use server::{Server, write_secret};

const BAD_VALUE: i32 = 2;
const EXCEEDED_TIME_LIMIT: i32 = 262;
const WRITE_CONFLICT: i32 = 112;

async fn plain() -> (Server, Mongo) {
    let server = Server::start(tempfile::tempdir().unwrap(), &[], "").await;
    let mongo = Mongo::connect(&server.uri("", ""), "test").await.unwrap();
    mongo.collection::<Document>("things").insert_one(doc! { "_id": 0 }).await.unwrap();
    (server, mongo)
}

fn things(mongo: &Mongo) -> Collection<Document> {
    mongo.collection("things")
}

async fn count(mongo: &Mongo) -> u64 {
    things(mongo).count_documents(doc! {}).await.unwrap()
}

/// Inserts one within a transaction.
async fn insert(mongo: &Mongo, id: i32) -> Result<(), StoreError> {
    let things = things(mongo);
    mongo
        .transaction(move |session| {
            let things = things.clone();
            Box::pin(async move {
                things.insert_one(doc! { "_id": id }).session(session).await?;
                Ok(())
            })
        })
        .await
}

#[tokio::test]
async fn transient_errors_are_repeated_and_others_are_not() {
    let (server, mongo) = plain().await;
    let too_slow =
        doc! { "errorCode": EXCEEDED_TIME_LIMIT, "errorLabels": ["RetryableWriteError"] };
    let in_conflict =
        doc! { "errorCode": WRITE_CONFLICT, "errorLabels": ["TransientTransactionError"] };
    let unknown = doc! { "errorCode": EXCEEDED_TIME_LIMIT, "errorLabels": ["UnknownTransactionCommitResult"] };
    let closed = doc! { "closeConnection": true };

    // A single write and a read, each once more.
    server.fail(1, &["insert"], too_slow.clone()).await;
    things(&mongo).insert_one(doc! { "_id": 1 }).await.unwrap();
    server.fail(1, &["insert"], closed.clone()).await;
    things(&mongo).insert_one(doc! { "_id": 2 }).await.unwrap();
    server.fail(1, &["find"], closed.clone()).await;
    assert!(things(&mongo).find_one(doc! { "_id": 2 }).await.unwrap().is_some());

    // A transaction, as often as it takes; each is there once.
    server.fail(3, &["insert"], in_conflict.clone()).await;
    insert(&mongo, 3).await.unwrap();
    server.fail(1, &["insert"], closed.clone()).await;
    insert(&mongo, 4).await.unwrap();
    server.fail(1, &["commitTransaction"], closed).await;
    insert(&mongo, 5).await.unwrap();
    server.fail(2, &["commitTransaction"], unknown).await;
    insert(&mongo, 6).await.unwrap();
    assert_eq!(count(&mongo).await, 7);

    // Neither is what will fail again.
    for in_transaction in [false, true] {
        server.fail(1, &["insert"], doc! { "errorCode": BAD_VALUE }).await;
        let before = mongo.commands();
        let done = match in_transaction {
            true => insert(&mongo, 7).await,
            false => {
                things(&mongo).insert_one(doc! { "_id": 7 }).await.map(drop).map_err(Into::into)
            }
        };
        assert!(matches!(done, Err(StoreError::Other(_))), "{done:?}");
        // The insert, and the transaction's end.
        assert_eq!(mongo.commands() - before, 1 + u64::from(in_transaction));
        assert_eq!(count(&mongo).await, 7);
    }
    let taken = insert(&mongo, 0).await;
    assert!(matches!(&taken, Err(StoreError::Duplicate { index }) if index == "_id_"), "{taken:?}");
}

#[tokio::test]
async fn no_connection_string_makes_writes_less_than_durable() {
    let (server, _) = plain().await;
    let weak = "&w=1&journal=false&readConcernLevel=local&readPreference=secondaryPreferred&retryWrites=true";
    let mongo = Mongo::connect(&server.uri("", weak), "test").await.unwrap();
    mongo.database().run_command(doc! { "profile": 2 }).await.unwrap();
    things(&mongo).insert_one(doc! { "_id": "kept" }).await.unwrap();
    things(&mongo).find_one(doc! { "_id": "kept" }).await.unwrap().unwrap();
    insert(&mongo, 1).await.unwrap();
    mongo.database().run_command(doc! { "profile": 0 }).await.unwrap();
    let profile = mongo.collection::<Document>("system.profile");
    let of = async |filter: Document| {
        let found = profile.find_one(filter).await.unwrap().unwrap();
        found.get_document("command").unwrap().clone()
    };
    let majority = doc! { "w": "majority", "j": true };
    let inserted = of(doc! { "op": "insert", "command.txnNumber": { "$exists": true }, "command.autocommit": { "$exists": false } }).await;
    assert_eq!(inserted.get_document("writeConcern").unwrap(), &majority);
    let found = of(doc! { "op": "query", "command.find": "things" }).await;
    assert_eq!(found.get_document("readConcern").unwrap().get_str("level").unwrap(), "majority");
    let begun = of(doc! { "command.startTransaction": true }).await;
    assert_eq!(begun.get_document("readConcern").unwrap().get_str("level").unwrap(), "majority");
}

#[tokio::test]
async fn tls_and_passwords_are_as_the_connection_string_says() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &authority).unwrap();
    write_secret(&at("server.pem"), &format!("{}{}", certificate.pem(), key.serialize_pem()));
    write_secret(&at("authority.pem"), &authority.pem());
    write_secret(&at("members"), "a2V5IG9mIHRoZSB0ZXN0cycgbWVtYmVycw");
    let (server_pem, authority_pem) = (at("server.pem"), at("authority.pem"));
    let members = at("members");
    let tls = format!("&tls=true&tlsCAFile={}", authority_pem.display());
    let arguments = [
        "--tlsMode",
        "requireTLS",
        "--tlsAllowConnectionsWithoutCertificates",
        "--tlsCertificateKeyFile",
        server_pem.to_str().unwrap(),
        "--tlsCAFile",
        authority_pem.to_str().unwrap(),
        "--keyFile",
        members.to_str().unwrap(),
    ];
    let server = Server::start(folder, &arguments, &tls).await;
    let user = doc! { "createUser": "spacey", "pwd": "open sesame", "roles": ["root"], "mechanisms": ["SCRAM-SHA-256"] };
    server.direct(&tls).await.database("admin").run_command(user).await.unwrap();

    let uri = server.uri("spacey:open%20sesame@", &tls);
    let mongo = Mongo::connect(&uri, "test").await.unwrap();
    things(&mongo).insert_one(doc! { "_id": 1 }).await.unwrap();
    insert(&mongo, 2).await.unwrap();
    mongo.ping().await.unwrap();

    // Somebody else, nobody, or without TLS: refused, soon, and the password is nowhere to be read.
    for (who, options) in [
        ("spacey:closed%20sesame@", tls.as_str()),
        ("", tls.as_str()),
        ("spacey:open%20sesame@", "&serverSelectionTimeoutMS=2000"),
        ("spacey:open%20sesame@", "&tls=true&serverSelectionTimeoutMS=2000"),
    ] {
        let began = Instant::now();
        let refused = match Mongo::connect(&server.uri(who, options), "test").await {
            Ok(mongo) => things(&mongo).find_one(doc! {}).await.map(drop).map_err(Into::into),
            Err(error) => Err(error),
        };
        let refused = refused.unwrap_err();
        assert!(began.elapsed().as_secs() < 20, "{refused:?}");
        assert!(!format!("{refused:?} {refused}").contains("sesame"), "{refused:?}");
    }
}

//! What subgraphs answer, byte by byte: what of it reaches the client, what is refused, and that nothing makes the engine panic
//! or answer something wrong.

use std::sync::{Arc, Mutex};

use federation::{
    ExecuteSettings, Fetch, FetchError, FetchRequest, FetchResponse, SubgraphSdl, Supergraph,
    Variables, compose, execute, prepare,
};
use serde_json::{Value, json};

const SHELVES: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@inaccessible"])
    type Query { items: [Item!] item: Item grid: [[Item]] thing: Thing }
    type Item @key(fields: "id") {
        id: ID! name: String size: Int weight: Float new: Boolean colour: Colour tags: [String!] extra: Any numbers: [[Int]]
        parent: Item
    }
    type Box { id: ID! }
    union Thing = Item | Box
    enum Colour { RED GREEN HIDDEN @inaccessible }
    scalar Any
"#;
const STOCK: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
    type Query { ready: Boolean }
    type Item @key(fields: "id") { id: ID! count: Int place: Place! }
    type Place { shelf: String! }
"#;

/// Subgraphs that answer what a test says.
struct Says {
    shelves: String,
    stock: Box<dyn Fn(&Value) -> String + Send + Sync>,
    /// The variables of the requests to the second.
    asked: Mutex<Vec<Value>>,
}

impl Fetch for Says {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        let text = if request.subgraph == "shelves" {
            self.shelves.clone()
        } else {
            let variables: Value = serde_json::from_slice(request.variables_json()).unwrap();
            let text = (self.stock)(&variables);
            self.asked.lock().unwrap().push(variables);
            text
        };
        Ok(FetchResponse::Json(text.into_bytes().into()))
    }
}

fn supergraph() -> Arc<Supergraph> {
    let subgraph = |name: &str, sdl: &str| SubgraphSdl {
        name: name.to_owned(),
        url: None,
        sdl: sdl.to_owned(),
    };
    let composed = compose(&[subgraph("shelves", SHELVES), subgraph("stock", STOCK)]).unwrap();
    Arc::new(Supergraph::parse(&composed.supergraph_sdl).unwrap())
}

/// Runs an operation that `says` answers: the data as text, and the errors.
fn run_with(operation: &str, settings: &ExecuteSettings, says: &Says) -> (String, Vec<Value>) {
    let prepared = prepare(&supergraph(), operation, None).unwrap();
    let response = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(execute(&prepared, Variables::default(), settings, says))
        .unwrap();
    let errors = response.errors.iter().map(|error| serde_json::to_value(error).unwrap());
    (String::from_utf8(response.data).unwrap(), errors.collect())
}

fn run(operation: &str, shelves: &str) -> (String, Vec<Value>) {
    let stock = Box::new(|_: &Value| String::new());
    let says = Says { shelves: shelves.to_owned(), stock, asked: Mutex::default() };
    run_with(operation, &ExecuteSettings::default(), &says)
}

/// The data that the first subgraph's answer becomes, without an error.
fn data(operation: &str, shelves: &str) -> String {
    let (data, errors) = run(operation, shelves);
    assert!(errors.is_empty(), "{shelves}\n{errors:#?}");
    data
}

#[test]
fn members_and_keys_may_come_in_any_order() {
    let expected = r#"{"item":{"id":"1","name":"n","size":2}}"#;
    for answer in [
        r#"{"data":{"item":{"id":"1","name":"n","size":2}}}"#,
        r#"{"data":{"item":{"size":2,"name":"n","id":"1"}}}"#,
        r#"{"extensions":{"a":[{}]},"errors":[],"data":{"item":{"name":"n","size":2,"id":"1"}},"more":1}"#,
        r#"{"errors":null,"data":{"other":[{"id":7}],"item":{"x":{"id":"3"},"id":"1","y":"\"","name":"n","size":2}}}"#,
        r#"{"data":{"item":{"id":"0","name":"m","size":1,"id":"1","name":"n","size":2}}}"#,
        r#"{"data":{"item":null,"item":{"id":"1","name":"n","size":2}}}"#,
        r#"{"data":{"item":{"id":"9"}},"data":{"item":{"id":"1","name":"n","size":2}}}"#,
        r#"{"\u0064ata":{"item":{"id":"1"}},"data":{"\u0069tem":{"\u0069d":"1","n\u0061me":"n","size":2}}}"#,
        " {\n \"data\" : {\r\n\t\"item\" : { \"id\" : \"1\" , \"name\" : \"n\" , \"size\" : 2 } } }\n",
    ] {
        assert_eq!(data("{ item { id name size } }", answer), expected, "{answer}");
    }
}

#[test]
fn leaves_are_handed_on_as_they_were_written() {
    let answer = r#"{"data":{"item":{"id":17,"name":"\u00fc\n\"😀","size":2.0,"weight":1.50,"new":false,"colour":"\u0052ED",
        "tags":["a" , "b\\"],"extra":{"b": [1,
        {"a" : null}], "n":12345678901234567890.5},"numbers":[[1, null],[],null]}}}"#;
    let expected = r#"{"item":{"id":"17","name":"\u00fc\n\"😀","size":2,"weight":1.50,"new":false,"colour":"\u0052ED","tags":["a","b\\"],"extra":{"b": [1,        {"a" : null}], "n":12345678901234567890.5},"numbers":[[1,null],[],null]}}"#;
    let operation = "{ item { id name size weight new colour tags extra numbers } }";
    assert_eq!(data(operation, answer), expected);
}

#[test]
fn values_that_clients_must_not_see_are_null_and_nothing_is_said_of_them() {
    for value in ["\"HIDDEN\"", "\"\\u0048IDDEN\""] {
        let answer = format!("{{\"data\":{{\"item\":{{\"colour\":{value}}}}}}}");
        assert_eq!(data("{ item { colour } }", &answer), r#"{"item":{"colour":null}}"#);
    }
}

#[test]
fn values_of_wrong_types_are_null_and_told_with_field_and_subgraph_path() {
    for (field, value) in [
        ("id", "true"),
        ("id", "1.5"),
        ("id", "[]"),
        ("name", "1"),
        ("name", "{}"),
        ("size", "1.5"),
        ("size", "2147483648"),
        ("size", "-2147483649"),
        ("size", "\"1\""),
        ("size", "1e99"),
        ("weight", "\"1\""),
        ("weight", "1e999"),
        ("new", "0"),
        ("new", "\"true\""),
        ("colour", "1"),
        ("colour", "\"BLUE\""),
        ("tags", "\"a\""),
        ("tags", "{}"),
        ("numbers", "[1]"),
        ("parent { id }", "[]"),
        ("parent { id }", "\"x\""),
        ("parent { id }", "[{\"id\":\"1\"}]"),
    ] {
        let key = field.split(' ').next().unwrap();
        let (data, errors) = run(
            &format!("{{ item {{ {field} }} }}"),
            &format!("{{\"data\":{{\"item\":{{\"{key}\":{value}}}}}}}"),
        );
        let expected = match (key, value) {
            ("id", _) => json!({ "item": null }),
            ("numbers", _) => json!({ "item": { "numbers": [null] } }),
            _ => json!({ "item": { key: null } }),
        };
        assert_eq!(serde_json::from_str::<Value>(&data).unwrap(), expected, "{field} {value}");
        if value.contains("IDDEN") {
            // That such a value exists is not for clients to know.
            assert!(errors.is_empty(), "{errors:?}");
            continue;
        }
        assert_eq!(errors.len(), 1, "{field} {value} {errors:?}");
        assert_eq!(errors[0]["extensions"]["code"], "INVALID_RESULT");
        assert_eq!(errors[0]["path"][1], key);
        let message = errors[0]["message"].as_str().unwrap();
        assert!(message.contains(&format!("Item.{key}")), "{message}");
        assert!(!message.contains("BLUE"), "{message}");
    }
    let (data, errors) = run("{ item { tags } }", r#"{"data":{"item":{"tags":["a",null]}}}"#);
    assert_eq!(data, r#"{"item":{"tags":null}}"#);
    assert_eq!(errors[0]["path"], json!(["item", "tags", 1]));
}

#[test]
fn what_is_no_response_is_told_with_the_subgraph() {
    for answer in [
        "",
        " ",
        "null",
        "true",
        "[]",
        "[{\"data\":{}}]",
        "{}",
        "{\"extensions\":{}}",
        "<!DOCTYPE html><html></html>",
        "upstream connect error",
        "{\"data\":{\"item\":{\"id\":\"1\"}}",
        "{\"data\":{\"item\":{\"id\":\"1\"}}}}",
        "{\"data\":{\"item\":{\"id\":\"1\"}}} x",
        "{\"data\":{\"item\":{\"id\":\"\u{1}\"}}}",
        "{\"data\":{\"item\":{\"id\":\"\\ud800\"}}}",
        "{\"data\":{\"item\":{\"id\":01}}}",
        "{\"data\":[]}",
        "{\"data\":\"x\"}",
        "{\"data\":{},\"errors\":{}}",
        "{\"data\":{},\"errors\":[{}]}",
        "{\"data\":{},\"errors\":[{\"message\":\"m\",\"path\":[-1]}]}",
        "{\"data\":{},\"errors\":[{\"message\":\"m\",\"extensions\":7}]}",
    ] {
        let (data, errors) = run("{ item { id } }", answer);
        assert_eq!(data, "{\"item\":null}", "{answer}");
        assert_eq!(errors.len(), 1, "{answer}: {errors:?}");
        assert_eq!(errors[0]["extensions"]["code"], "SUBREQUEST_MALFORMED_RESPONSE", "{answer}");
        assert_eq!(errors[0]["extensions"]["service"], "shelves");
    }
    let deep = format!("{{\"data\":{{\"item\":{{\"extra\":{}}}}}}}", "[".repeat(100_000));
    assert_eq!(run("{ item { extra } }", &deep).0, "{\"item\":null}");
}

#[test]
fn no_data_is_told_too() {
    for answer in ["{\"data\":null}", "{\"errors\":[]}", "{\"data\":null,\"errors\":null}"] {
        let (data, errors) = run("{ item { id } }", answer);
        assert_eq!(data, "{\"item\":null}", "{answer}");
        assert_eq!(errors[0]["message"], "subgraph \"shelves\" answered no data", "{answer}");
    }
    let (_, errors) =
        run("{ item { id } }", "{\"errors\":[{\"message\":\"m\",\"path\":[\"item\"]}]}");
    assert_eq!(errors[0]["message"], "m");
    assert_eq!(errors.len(), 1);
}

#[test]
fn lists_of_lists_keep_their_places() {
    let answer = r#"{"data":{"grid":[[{"id":"1"},null],[],null,[{"id":"2"}]]}}"#;
    let expected = r#"{"grid":[[{"id":"1"},null],[],null,[{"id":"2"}]]}"#;
    assert_eq!(data("{ grid { id } }", answer), expected);
    let (data, errors) = run("{ grid { id } }", r#"{"data":{"grid":[{"id":"1"},[7,{"id":"2"}]]}}"#);
    assert_eq!(data, r#"{"grid":[null,[null,{"id":"2"}]]}"#);
    assert_eq!(errors.len(), 2, "{errors:?}");
}

#[test]
fn the_type_of_an_object_may_come_late_or_escaped() {
    let operation = "{ thing { ... on Item { id name } ... on Box { id } } }";
    for answer in [
        r#"{"data":{"thing":{"__typename":"Item","id":"1","name":"n"}}}"#,
        r#"{"data":{"thing":{"id":"1","name":"n","__typename":"Item"}}}"#,
        r#"{"data":{"thing":{"id":"1","name":"n","__typename":"\u0049tem"}}}"#,
    ] {
        assert_eq!(data(operation, answer), r#"{"thing":{"id":"1","name":"n"}}"#);
    }
    for ty in ["\"Ghost\"", "7", "null"] {
        let answer = format!("{{\"data\":{{\"thing\":{{\"__typename\":{ty},\"id\":\"1\"}}}}}}");
        let (data, errors) = run(operation, &answer);
        assert_eq!(data, "{\"thing\":null}", "{ty}");
        assert_eq!(errors.len(), 1, "{ty}");
        assert!(!errors[0].to_string().contains("Ghost"));
    }
}

const DAMAGED: &str = r#"{"data":{"items":[{"id":"1","name":"a\u00e9","size":1,"tags":["x"],"extra":{"k":[1.5e3]}},{"id":"2","name":null,"size":-2,"tags":[],"extra":null}]},"errors":[{"message":"m","path":["items",1,"name"]}]}"#;

const DAMAGES: [u8; 6] = [0, b'"', b'\\', b'}', b'0', 0xff];

#[test]
fn no_answer_makes_it_panic_or_answer_what_is_no_json() {
    let operation = "{ items { id name size tags extra count place { shelf } } }";
    let prepared = prepare(&supergraph(), operation, None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let check = |shelves: Vec<u8>, stock: Vec<u8>| {
        let fetch = Bytes { shelves, stock };
        let settings = ExecuteSettings::default();
        let executed = execute(&prepared, Variables::default(), &settings, &fetch);
        let response = runtime.block_on(executed).unwrap();
        let data: Value = serde_json::from_slice(&response.data).unwrap();
        assert!(data["items"].is_array() || data["items"].is_null());
    };
    let stock = r#"{"data":{"_entities":[{"count":1,"place":{"shelf":"s"}},{"count":2,"place":{"shelf":"t"}}]}}"#;
    for (length, _) in DAMAGED.char_indices() {
        check(DAMAGED.as_bytes()[..length].to_vec(), stock.into());
    }
    for place in 0..DAMAGED.len() {
        for byte in DAMAGES {
            let mut damaged = DAMAGED.as_bytes().to_vec();
            damaged[place] = byte;
            check(damaged, stock.into());
        }
    }
    for place in 0..stock.len() {
        for byte in DAMAGES {
            let mut damaged = stock.as_bytes().to_vec();
            damaged[place] = byte;
            check(DAMAGED.into(), damaged);
        }
    }
}

/// Subgraphs that answer bytes.
struct Bytes {
    shelves: Vec<u8>,
    stock: Vec<u8>,
}

impl Fetch for Bytes {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        let body = if request.subgraph == "shelves" { &self.shelves } else { &self.stock };
        Ok(FetchResponse::Json(body.clone().into()))
    }
}

/// A first subgraph with items of these ids, and a second that counts what it is asked for.
fn counted(ids: &[&str]) -> Says {
    let items: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
    Says {
        shelves: json!({ "data": { "items": items } }).to_string(),
        stock: Box::new(|variables| {
            let representations = variables["representations"].as_array().unwrap();
            let entity = |item: &Value| {
                let id: usize = item["id"].as_str().unwrap().parse().unwrap();
                json!({ "count": id * 10, "place": { "shelf": format!("s{id}") } })
            };
            let entities: Vec<_> = representations.iter().map(entity).collect();
            json!({ "data": { "_entities": entities } }).to_string()
        }),
        asked: Mutex::default(),
    }
}

#[test]
fn large_batches_are_split_and_each_entity_is_asked_for_once() {
    let says = counted(&["1", "2", "1", "3", "4", "2", "5", "5"]);
    let settings = ExecuteSettings { representations: 2, ..ExecuteSettings::default() };
    let (data, errors) = run_with("{ items { id count place { shelf } } }", &settings, &says);
    assert!(errors.is_empty(), "{errors:?}");
    let data: Value = serde_json::from_str(&data).unwrap();
    for item in data["items"].as_array().unwrap() {
        let id: usize = item["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(item["count"], id * 10);
        assert_eq!(item["place"]["shelf"], format!("s{id}"));
    }
    let mut asked: Vec<Vec<String>> = says.asked.lock().unwrap().iter().map(ids_of).collect();
    asked.sort();
    assert_eq!(asked, [vec!["1", "2"], vec!["3", "4"], vec!["5"]]);
}

fn ids_of(variables: &Value) -> Vec<String> {
    let representations = variables["representations"].as_array().unwrap();
    representations.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_operation_makes_so_many_requests_and_no_more() {
    let says = counted(&["1", "2", "3"]);
    let settings = ExecuteSettings { representations: 1, fetches: 3, ..ExecuteSettings::default() };
    let (data, errors) = run_with("{ items { id count } }", &settings, &says);
    assert_eq!(
        data,
        r#"{"items":[{"id":"1","count":null},{"id":"2","count":null},{"id":"3","count":null}]}"#
    );
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["extensions"]["code"], "TOO_MANY_FETCHES");
    let message = "the operation needs 4 requests to subgraphs or more; it may make 3 at most";
    assert_eq!(errors[0]["message"], message);
    assert!(says.asked.lock().unwrap().is_empty());
}

#[test]
fn an_answer_that_grows_too_large_is_not_given() {
    let operation = "{ items { id place { shelf } } }";
    let bounded = |response_bytes| {
        let settings = ExecuteSettings { response_bytes, ..ExecuteSettings::default() };
        run_with(operation, &settings, &counted(&["1", "2", "3"]))
    };
    let (whole, errors) = bounded(usize::MAX);
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(bounded(whole.len()), (whole.clone(), Vec::new()));
    // `place` may be null, but nothing is put in its place: neither here nor in those that follow.
    let (data, errors) = bounded(40);
    assert_eq!(data, "null");
    let expected = json!([{
        "message": "the answer has more than 40 bytes; it may have 40 at most: ask for less at a time",
        "path": ["items", 0, "place", "shelf"],
        "extensions": { "code": "RESPONSE_TOO_LARGE" },
    }]);
    assert_eq!(Value::from(errors), expected);
}

#[test]
fn an_entity_whose_key_is_null_or_missing_is_not_asked_for() {
    let items = r#"[{"id":null,"name":"a"},{"name":"b"},{"id":"3","name":"c"}]"#;
    let shelves = format!("{{\"data\":{{\"items\":{items}}}}}");
    let says = Says { shelves, ..counted(&[]) };
    let operation = "{ items { name count } }";
    let (data, _) = run_with(operation, &ExecuteSettings::default(), &says);
    let expected = r#"{"items":[{"name":"a","count":null},{"name":"b","count":null},{"name":"c","count":30}]}"#;
    assert_eq!(data, expected);
    let asked: Vec<_> = says.asked.lock().unwrap().iter().map(ids_of).collect();
    assert_eq!(asked, [vec!["3"]]);
}

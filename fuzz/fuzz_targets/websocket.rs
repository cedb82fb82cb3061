//! The fuzzer's way into [`fuzz::websocket`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::websocket::run(data));

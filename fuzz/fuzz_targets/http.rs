//! The fuzzer's way into [`fuzz::http`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::http::run(data));

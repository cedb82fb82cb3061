//! The fuzzer's way into [`fuzz::notes::run_json`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::notes::run_json(data));

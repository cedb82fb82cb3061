//! The fuzzer's way into [`fuzz::response`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::response::run(data));

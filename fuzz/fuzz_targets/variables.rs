//! The fuzzer's way into [`fuzz::variables`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::variables::run(data));

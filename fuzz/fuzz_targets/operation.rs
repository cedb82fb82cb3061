//! The fuzzer's way into [`fuzz::operation`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::operation::run(data));

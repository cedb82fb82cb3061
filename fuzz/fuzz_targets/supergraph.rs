//! The fuzzer's way into [`fuzz::supergraph`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::supergraph::run(data));

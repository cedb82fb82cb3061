//! The fuzzer's way into [`fuzz::subgraphs`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::subgraphs::run(data));

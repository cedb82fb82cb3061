//! The fuzzer's way into [`fuzz::anki_package::run`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::anki_package::run(data));

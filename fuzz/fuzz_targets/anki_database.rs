//! The fuzzer's way into [`fuzz::anki_package::run_database`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::anki_package::run_database(data));

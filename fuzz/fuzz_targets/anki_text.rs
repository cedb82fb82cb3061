//! The fuzzer's way into [`fuzz::anki_text::run`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::anki_text::run(data));

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| roomcast::publish::fuzzing::publish_splice(input));

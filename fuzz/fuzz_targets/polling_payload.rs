#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| roomcast::subscriber::fuzzing::polling_payload(input));

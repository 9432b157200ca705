//! Runs a VRL program over each line of standard input, as Vector's journald source passes it on, and prints the events
//! that come out, a JSON object a line. It fails when the program does not compile or stops.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead};
use std::{env, fs};

use vrl::compiler::state::RuntimeState;
use vrl::compiler::{Context, TargetValue, TimeZone, compile};
use vrl::diagnostic::Formatter;
use vrl::value::{Secrets, Value};

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("usage: roomcast-tests-vrl PROGRAM < LINES")?;
    let source = fs::read_to_string(&path)?;
    let compiled = compile(&source, &vrl::stdlib::all())
        .map_err(|faults| format!("{path}: {}", Formatter::new(&source, faults)))?;
    for line in io::stdin().lock().lines() {
        let event = BTreeMap::from([
            ("message".into(), Value::from(line?)),
            ("host".into(), Value::from("journal.test")),
            ("timestamp".into(), Value::from("1970-01-01T00:00:00Z")),
            ("_SYSTEMD_UNIT".into(), Value::from("roomcast.service")),
        ]);
        let mut target = TargetValue {
            value: Value::Object(event),
            metadata: Value::Object(BTreeMap::new()),
            secrets: Secrets::default(),
        };
        let (mut state, zone) = (RuntimeState::default(), TimeZone::default());
        let mut context = Context::new(&mut target, &mut state, &zone);
        compiled.program.resolve(&mut context).map_err(|error| format!("{path}: {error}"))?;
        println!("{}", target.value.to_string_lossy());
    }
    Ok(())
}

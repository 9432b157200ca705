//! The same clients before the gateway and before socketioxide: what they are answered is the same, but for the differences
//! that `differences.json` allows, each with its reason. One that is not seen any more has to go from there.

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::oracle::Oracle;
use super::script::{PAYLOAD_BYTES_MAX, Player, Script, Server, TOKEN, read};
use crate::harness::{Gateway, token};

/// One action that is answered differently.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Difference {
    script: String,
    /// The number of the action, from 1, and its text.
    action: String,
    gateway: String,
    oracle: String,
}

/// Differences that are right, and why.
#[derive(Debug, Deserialize)]
struct Allowed {
    reason: String,
    differences: Vec<Difference>,
}

async fn differences(index: usize, script: &Script, gateway: &Gateway, oracle: &Oracle) -> Vec<Difference> {
    let room = format!("room-{index}");
    let (mut ours, mut theirs) =
        (Player::new(Server::Gateway(gateway), &room, &token()), Player::new(Server::Oracle(oracle), &room, TOKEN));
    let (ours, theirs) = tokio::join!(ours.play(script), theirs.play(script));
    let actions = script.actions.iter().enumerate().map(|(number, action)| format!("{} {action}", number + 1));
    let answered = actions.zip(ours.into_iter().zip(theirs));
    let different = answered.filter(|(_, (gateway, oracle))| gateway != oracle);
    different
        .map(|(action, (gateway, oracle))| Difference { script: script.name.clone(), action, gateway, oracle })
        .collect()
}

#[tokio::test]
async fn the_gateway_answers_as_socketioxide_but_for_what_is_allowed() {
    let limit = PAYLOAD_BYTES_MAX.to_string();
    let gateway = Gateway::start(&[("MAX_HTTP_BUFFER_SIZE", &limit)]).await;
    let oracle = Oracle::start().await;
    let scripts = read(include_str!("scripts.txt"));
    assert!(scripts.len() >= 30, "{} scripts", scripts.len());
    let played = scripts.iter().enumerate().map(|(index, script)| differences(index, script, &gateway, &oracle));
    let seen: Vec<_> = join_all(played).await.into_iter().flatten().collect();

    let allowed: Vec<Allowed> = serde_json::from_str(include_str!("differences.json")).unwrap();
    assert!(allowed.iter().all(|allowed| !allowed.reason.is_empty()), "a difference without a reason");
    let allowed: Vec<_> = allowed.into_iter().flat_map(|allowed| allowed.differences).collect();
    let unlisted: Vec<_> = seen.iter().filter(|seen| !allowed.contains(seen)).collect();
    let stale: Vec<_> = allowed.iter().filter(|allowed| !seen.contains(allowed)).collect();
    assert!(
        unlisted.is_empty() && stale.is_empty(),
        "answered differently, and not allowed:\n{}\nallowed, and not seen:\n{}",
        serde_json::to_string_pretty(&unlisted).unwrap(),
        serde_json::to_string_pretty(&stale).unwrap()
    );
}

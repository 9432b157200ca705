//! A publication goes to the workers that have members of its room, to all or to none, and in one order for all.

use std::collections::VecDeque;
use std::thread;

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::inbox::BYTES_MAX;
use super::*;
use crate::types::EventName;

const WORKERS: usize = 3;

fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

fn publication(name: &str, json: String) -> Publication {
    let room = room(name);
    let payload = RawValue::from_string(json).unwrap().into();
    Publication { event: EventName::from(&room), room, payload }
}

fn hub() -> (Arc<Hub>, Arc<Stats>) {
    let stats = Arc::new(Stats::default());
    (Hub::new(WORKERS, Arc::clone(&stats)), stats)
}

impl Hub {
    fn publish(&self, name: &str, json: &impl ToString) -> Result<usize, Overloaded> {
        self.deliver(publication(name, json.to_string())).map(|delivered| delivered.receivers)
    }

    /// Everything that waits for a worker.
    fn taken(&self, worker: usize) -> Vec<Job> {
        let inbox = self.inbox(worker).unwrap();
        let jobs: Vec<Job> =
            std::iter::repeat_with(|| inbox.take(usize::MAX)).take_while(|batch| !batch.is_empty()).flatten().collect();
        inbox.is_sent(&jobs);
        jobs
    }

    fn payloads(&self, worker: usize) -> Vec<String> {
        let json = |job: Job| job.publication.payload.json().to_owned();
        self.taken(worker).into_iter().map(json).collect()
    }
}

#[test]
fn a_publication_goes_to_the_workers_with_members_and_to_no_other() {
    let (hub, stats) = hub();
    assert_eq!(hub.publish("a", &1), Ok(0));
    let _members = [hub.join(0, &[room("a")]), hub.join(2, &[room("a"), room("b")]), hub.join(1, &[room("c")])];
    assert_eq!(hub.publish("a", &2), Ok(2));
    assert_eq!(hub.publish("b", &3), Ok(1));
    assert_eq!(hub.publish("A", &4), Ok(0), "case counts");
    assert_eq!(
        (hub.payloads(0), hub.payloads(1), hub.payloads(2)),
        (vec!["2".into()], vec![], vec!["2".into(), "3".into()])
    );
    assert_eq!(stats.deliveries.get(), 3);
    assert!(hub.inbox(WORKERS).is_none());
}

#[test]
fn members_are_counted_from_their_join_until_their_guard_is_dropped() {
    let (hub, _) = hub();
    let first = hub.join(0, &[room("a"), room("b")]);
    let second = hub.join(0, &[room("a")]);
    let third = hub.join(1, &[room("a")]);
    assert_eq!(first.rooms(), [room("a"), room("b")]);
    assert_eq!(hub.publish("a", &1), Ok(3));
    drop(first);
    assert_eq!((hub.publish("a", &2), hub.publish("b", &3)), (Ok(2), Ok(0)));
    drop(second);
    assert_eq!(hub.publish("a", &4), Ok(1));
    drop(third);
    assert_eq!(hub.publish("a", &5), Ok(0));
    assert_eq!(
        (hub.payloads(0), hub.payloads(1)),
        (vec!["1".into(), "2".into()], vec!["1".into(), "2".into(), "4".into()])
    );
}

#[test]
fn a_membership_knows_which_publications_came_before_it() {
    let (hub, _) = hub();
    let before = hub.join(0, &[room("a")]);
    hub.publish("a", &1).unwrap();
    let between = hub.join(0, &[room("a")]);
    hub.publish("a", &2).unwrap();
    let sequences: Vec<_> = hub.taken(0).iter().map(|job| job.position.sequence).collect();
    let heard_by = |member: &Membership| sequences.iter().filter(|sequence| **sequence > member.since()).count();
    assert_eq!((heard_by(&before), heard_by(&between), heard_by(&hub.join(0, &[room("a")]))), (2, 1, 0));
}

#[test]
fn every_hub_has_an_epoch_of_its_own() {
    let epochs: std::collections::BTreeSet<_> = (0..8).map(|_| hub().0.epoch).collect();
    assert_eq!(epochs.len(), 8);
}

#[test]
fn one_full_inbox_refuses_the_publication_for_all() {
    let (hub, stats) = hub();
    let _full = hub.join(1, &[room("big"), room("both")]);
    let _idle = [hub.join(0, &[room("both")]), hub.join(2, &[room("idle")])];
    let third = format!("\"{}\"", "x".repeat(BYTES_MAX / 3 - 1024));
    for _ in 0..3 {
        assert_eq!(hub.publish("big", &third), Ok(1));
    }
    assert_eq!(hub.publish("both", &third), Err(Overloaded));
    assert_eq!(hub.publish("big", &third), Err(Overloaded));
    assert!(hub.taken(0).is_empty(), "nothing is put anywhere");
    assert_eq!(hub.publish("idle", &third), Ok(1), "the inbox of a worker without members is not asked");
    assert_eq!(stats.deliveries.get(), 4);

    let inbox = hub.inbox(1).unwrap();
    let taken = inbox.take(0);
    assert_eq!(taken.len(), 1);
    assert_eq!(hub.publish("both", &third), Err(Overloaded), "what is under way counts until it is sent");
    inbox.is_sent(&taken);
    assert_eq!(hub.publish("both", &third), Ok(2), "there is room again");
    assert_eq!((hub.taken(0).len(), hub.taken(1).len(), hub.taken(2).len()), (1, 3, 1));
}

#[test]
fn publishers_at_once_are_in_one_order_for_all_workers() {
    const PUBLISHERS: usize = 4;
    const EACH: usize = 500;
    let (hub, _) = hub();
    let members: Vec<_> = (0..WORKERS).map(|worker| hub.join(worker, &[room("a")])).collect();
    thread::scope(|scope| {
        for publisher in 0..PUBLISHERS {
            let hub = &hub;
            scope.spawn(move || {
                for number in 0..EACH {
                    assert_eq!(hub.publish("a", &(publisher * EACH + number)), Ok(WORKERS));
                }
            });
        }
    });
    let jobs: Vec<_> = (0..WORKERS).map(|worker| hub.taken(worker)).collect();
    let order = |jobs: &[Job]| {
        let each = |job: &Job| (job.position.sequence, job.publication.payload.json().parse::<usize>().unwrap());
        jobs.iter().map(each).collect::<Vec<_>>()
    };
    let first = order(&jobs[0]);
    assert_eq!(first.len(), PUBLISHERS * EACH);
    assert!(first.is_sorted_by(|one, next| one.0 < next.0), "sequence numbers grow");
    for publisher in 0..PUBLISHERS {
        let own = first.iter().map(|(_, number)| *number).filter(|number| number / EACH == publisher);
        assert!(own.is_sorted(), "what publisher {publisher} sent one behind the other stays so");
    }
    assert!(jobs.iter().all(|jobs| order(jobs) == first));
    let epochs = jobs.iter().flatten().map(|job| job.position.epoch);
    assert!(epochs.into_iter().all(|epoch| epoch == hub.epoch), "one epoch for all");
    drop(members);
}

#[test]
fn who_joins_while_others_publish_is_owed_exactly_what_was_counted_for_it() {
    let (hub, stats) = hub();
    let members = thread::scope(|scope| {
        let publisher = scope.spawn(|| (0..2000).for_each(|number| _ = hub.publish("a", &number).unwrap()));
        let members: Vec<_> =
            (0..300).map(|number| (number % WORKERS, hub.join(number % WORKERS, &[room("a")]))).collect();
        publisher.join().unwrap();
        members
    });
    hub.publish("a", &2000).unwrap();
    let jobs: Vec<_> = (0..WORKERS).map(|worker| hub.taken(worker)).collect();
    let owed = |(worker, member): &(usize, Membership)| {
        let jobs: &[Job] = &jobs[*worker];
        jobs.iter().filter(|job| job.position.sequence > member.since()).count() as u64
    };
    assert!(members.iter().all(|member| owed(member) > 0));
    assert_eq!(members.iter().map(owed).sum::<u64>(), stats.deliveries.get());
}

const ROOMS: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Clone, Debug)]
enum Step {
    Join { worker: usize, rooms: Vec<usize> },
    Leave(usize),
    Publish { room: usize, bytes: usize },
    Take { worker: usize, bytes_max: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..WORKERS, proptest::sample::subsequence(vec![0, 1, 2, 3], 0..=4))
            .prop_map(|(worker, rooms)| Step::Join { worker, rooms }),
        (0..20_usize).prop_map(Step::Leave),
        (0..ROOMS.len(), 2..40_usize).prop_map(|(room, bytes)| Step::Publish { room, bytes }),
        (0..WORKERS, 0..120_usize).prop_map(|(worker, bytes_max)| Step::Take { worker, bytes_max }),
    ];
    proptest::collection::vec(step, 0..80)
}

/// A member as the model knows it: what it is owed is written down at each publish.
struct Member {
    worker: usize,
    rooms: Vec<usize>,
    guard: Membership,
    owed: Vec<u64>,
}

/// A publication as the model knows it: its sequence number, its room, and its bytes.
type Waiting = (u64, usize, usize);

#[derive(Default)]
struct Model {
    published: u64,
    members: Vec<Member>,
    waiting: [VecDeque<Waiting>; WORKERS],
    taken: [Vec<Waiting>; WORKERS],
}

impl Model {
    /// Those who are in the room, each owed one more.
    fn publish(&mut self, room: usize, bytes: usize) -> usize {
        self.published += 1;
        let mut receivers = 0;
        let mut workers = [false; WORKERS];
        for member in self.members.iter_mut().filter(|member| member.rooms.contains(&room)) {
            member.owed.push(self.published);
            workers[member.worker] = true;
            receivers += 1;
        }
        for (worker, waiting) in self.waiting.iter_mut().enumerate() {
            if workers[worker] {
                waiting.push_back((self.published, room, bytes));
            }
        }
        receivers
    }

    /// The first that waits, and more while they are of its room and the bytes of all are not too many.
    fn take(&mut self, worker: usize, bytes_max: usize) -> Vec<Waiting> {
        let waiting = &mut self.waiting[worker];
        let mut batch: Vec<Waiting> = waiting.pop_front().into_iter().collect();
        while let (Some(first), Some(next)) = (batch.first(), waiting.front()) {
            let bytes: usize = batch.iter().map(|(_, _, bytes)| bytes).sum();
            if first.1 != next.1 || bytes + next.2 > bytes_max {
                break;
            }
            batch.extend(waiting.pop_front());
        }
        self.taken[worker].extend(&batch);
        batch
    }
}

fn check_take(hub: &Hub, model: &mut Model, worker: usize, bytes_max: usize) -> usize {
    let number = |job: &Job| ROOMS.iter().position(|name| *name == job.publication.room.as_str()).unwrap();
    let inbox = hub.inbox(worker).unwrap();
    let batch = inbox.take(bytes_max);
    inbox.is_sent(&batch);
    let batch: Vec<_> = batch.iter().map(|job| (job.position.sequence, number(job), job.publication.bytes())).collect();
    assert_eq!(batch, model.take(worker, bytes_max));
    batch.len()
}

proptest! {
    #[test]
    fn the_hub_does_as_a_naive_one(steps in steps()) {
        let (hub, stats) = hub();
        let mut model = Model::default();
        let mut delivered = 0;
        for step in steps {
            match step {
                Step::Join { worker, rooms } => {
                    let names: Vec<_> = rooms.iter().map(|at| room(ROOMS[*at])).collect();
                    let guard = hub.join(worker, &names);
                    model.members.push(Member { worker, rooms, guard, owed: Vec::new() });
                }
                Step::Leave(at) if at < model.members.len() => drop(model.members.swap_remove(at)),
                Step::Leave(_) => {}
                Step::Publish { room, bytes } => {
                    // The event's name, which is that of the room, has one byte.
                    let receivers = hub.publish(ROOMS[room], &format!("\"{}\"", "x".repeat(bytes - 2))).unwrap();
                    prop_assert_eq!(receivers, model.publish(room, bytes + 1));
                    delivered += receivers;
                }
                Step::Take { worker, bytes_max } => _ = check_take(&hub, &mut model, worker, bytes_max),
            }
        }
        for worker in 0..WORKERS {
            while check_take(&hub, &mut model, worker, 64) > 0 {}
        }
        for member in &model.members {
            let heard = |(sequence, room, _): &&Waiting| member.rooms.contains(room) && *sequence > member.guard.since();
            let heard: Vec<_> = model.taken[member.worker].iter().filter(heard).map(|(sequence, ..)| *sequence).collect();
            prop_assert_eq!(&heard, &member.owed);
        }
        prop_assert_eq!(stats.deliveries.get(), delivered as u64);
    }
}

#[test]
fn who_panics_while_a_publication_is_numbered_poisons_nothing() {
    let (hub, _) = hub();
    let member = hub.join(0, &[room("a")]);
    let holder = Arc::clone(&hub);
    let held = thread::spawn(move || {
        let _sequence = holder.sequence.lock();
        panic!("a defect, while the lock is held");
    });
    assert!(held.join().is_err() && hub.sequence.is_poisoned());
    assert_eq!(hub.publish("a", &1), Ok(1));
    let later = hub.join(1, &[room("a")]);
    assert_eq!(hub.publish("a", &2), Ok(2));
    assert_eq!((hub.payloads(0), hub.payloads(1)), (vec!["1".to_owned(), "2".to_owned()], vec!["2".to_owned()]));
    drop((member, later));
    assert_eq!((hub.publish("a", &3), hub.rooms()), (Ok(0), 0));
}

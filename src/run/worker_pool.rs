//! Works through a queue of jobs on several threads; a finished job may bring new ones.
//!
//! A Page waits for its parent, so it is queued only when the parent is done; among the queued jobs
//! the greatest goes first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError};

struct Queue<J> {
    waiting: BinaryHeap<J>,
    running: usize,
}

/// Does all jobs and those that they bring, the greatest first, on at most `workers` threads.
///
/// A panic ends its own job and nothing else; the jobs that panicked are given back. What they
/// panicked with is dropped unread, for it might hold a secret.
pub fn work<J, R>(
    jobs: Vec<J>,
    workers: usize,
    act: impl Fn(&J) -> (R, Vec<J>) + Sync,
    done: impl Fn(&R) + Sync,
) -> (Vec<R>, Vec<J>)
where
    J: Ord + Send,
    R: Send,
{
    let queue = Mutex::new(Queue { waiting: BinaryHeap::from(jobs), running: 0 });
    let wake = Condvar::new();
    let results = Mutex::new(Vec::new());
    let panics = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            scope.spawn(|| {
                while let Some(job) = take(&queue, &wake) {
                    if let Ok((result, followers)) = catch_unwind(AssertUnwindSafe(|| act(&job))) {
                        done(&result);
                        lock(&results).push(result);
                        finish(&queue, &wake, followers);
                    } else {
                        lock(&panics).push(job);
                        finish(&queue, &wake, Vec::new());
                    }
                }
            });
        }
    });
    (
        results.into_inner().unwrap_or_else(PoisonError::into_inner),
        panics.into_inner().unwrap_or_else(PoisonError::into_inner),
    )
}

/// Does the same for each item, in their order as threads become free; gives the answers in that order,
/// and nothing for an item that panicked.
pub fn work_on_each<T: Sync, R: Send>(
    items: &[T],
    workers: usize,
    act: impl Fn(&T) -> R + Sync,
    done: impl Fn() + Sync,
) -> Vec<Option<R>> {
    let jobs = (0..items.len()).map(Reverse).collect();
    let act = |Reverse(at): &Reverse<usize>| ((*at, act(&items[*at])), Vec::new());
    let (answers, _) = work(jobs, workers, act, |_| done());
    let mut in_order: Vec<Option<R>> = items.iter().map(|_| None).collect();
    for (at, answer) in answers {
        in_order[at] = Some(answer);
    }
    in_order
}

/// The next job; nothing once all are done and none can come any more.
fn take<J: Ord>(queue: &Mutex<Queue<J>>, wake: &Condvar) -> Option<J> {
    let mut guard = lock(queue);
    loop {
        if let Some(job) = guard.waiting.pop() {
            guard.running += 1;
            return Some(job);
        }
        if guard.running == 0 {
            return None;
        }
        guard = wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
}

fn finish<J: Ord>(queue: &Mutex<Queue<J>>, wake: &Condvar, followers: Vec<J>) {
    let mut guard = lock(queue);
    guard.running -= 1;
    guard.waiting.extend(followers);
    wake.notify_all();
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn followers_come_after_the_job_that_brings_them_and_a_panic_ends_one_job() {
        let (mut done, panics) = work(
            vec![1_u32, 2, 3],
            4,
            |job| {
                assert!(*job != 2, "job 2 fails");
                let followers = if *job < 10 { vec![job * 10, job * 10 + 1] } else { Vec::new() };
                (*job, followers)
            },
            |_| {},
        );
        done.sort_unstable();
        assert_eq!(done, [1, 3, 10, 11, 30, 31]);
        assert_eq!(panics, [2]);
    }

    #[test]
    fn answers_are_in_the_order_of_the_items() {
        let answers = work_on_each(
            &[1, 2, 3, 4],
            3,
            |item| {
                assert!(*item != 3, "item 3 fails");
                item * 10
            },
            || {},
        );
        assert_eq!(answers, [Some(10), Some(20), None, Some(40)]);
    }

    #[test]
    fn one_worker_takes_the_greatest_first() {
        let order = Mutex::new(Vec::new());
        work(
            vec![1, 3, 2],
            1,
            |job| {
                order.lock().unwrap().push(*job);
                ((), Vec::new())
            },
            |()| {},
        );
        assert_eq!(order.into_inner().unwrap(), [3, 2, 1]);
    }
}

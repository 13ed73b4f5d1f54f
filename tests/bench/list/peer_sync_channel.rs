// Rust's std::sync::mpsc::sync_channel; its consumers share the one receiver under a mutex.
// See harness.h for what is measured and printed.
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let (producers, consumers, capacity, count) = (args[0], args[1], args[2], args[3]);
    let (sender, receiver) = sync_channel::<[u64; 8]>(capacity as usize);
    let receiver = Arc::new(Mutex::new(receiver));
    let start = Instant::now();
    let takers: Vec<_> = (0..consumers)
        .map(|_| {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || {
                let mut next = vec![0u64; producers as usize];
                let (mut items, mut checksum, mut ordered) = (0u64, 0u64, true);
                loop {
                    let taken = receiver.lock().unwrap().recv();
                    let Ok(item) = taken else { break };
                    checksum = checksum.wrapping_add(item[7] ^ item[1]);
                    ordered &= item[1] >= next[item[0] as usize];
                    next[item[0] as usize] = item[1] + 1;
                    items += 1;
                }
                (items, checksum, ordered)
            })
        })
        .collect();
    let makers: Vec<_> = (0..producers)
        .map(|number| {
            let sender = sender.clone();
            thread::spawn(move || {
                for i in 0..count {
                    sender.send([number, i, 0, 0, 0, 0, 0, number * 1000003 + i]).unwrap();
                }
            })
        })
        .collect();
    drop(sender);
    for maker in makers {
        maker.join().unwrap();
    }
    let (mut items, mut checksum, mut ordered) = (0u64, 0u64, true);
    for taker in takers {
        let part = taker.join().unwrap();
        items += part.0;
        checksum = checksum.wrapping_add(part.1);
        ordered &= part.2;
    }
    println!("{} {:.6} {} {}", items, start.elapsed().as_secs_f64(), checksum, ordered as u8);
}

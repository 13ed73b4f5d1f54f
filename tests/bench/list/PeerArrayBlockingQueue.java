// java.util.concurrent.ArrayBlockingQueue. See harness.h for what is measured and printed.
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;

public final class PeerArrayBlockingQueue {
    private static final long[] LAST = new long[8];

    private static void produce(ArrayBlockingQueue<long[]> queue, long number, long count) {
        try {
            for (long i = 0; i < count; i++) {
                queue.put(new long[] {number, i, 0, 0, 0, 0, 0, number * 1000003 + i});
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void consume(ArrayBlockingQueue<long[]> queue, int producers, AtomicLong items,
            AtomicLong checksum, AtomicLong disorder) {
        long[] next = new long[producers];
        long sum = 0;
        long total = 0;
        long wrong = 0;
        try {
            for (long[] item = queue.take(); item != LAST; item = queue.take()) {
                sum += item[7] ^ item[1];
                if (item[1] < next[(int) item[0]]) {
                    wrong++;
                }
                next[(int) item[0]] = item[1] + 1;
                total++;
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        items.addAndGet(total);
        checksum.addAndGet(sum);
        disorder.addAndGet(wrong);
    }

    private static void run(int producers, int consumers, int capacity, long count, boolean prints)
            throws InterruptedException {
        ArrayBlockingQueue<long[]> queue = new ArrayBlockingQueue<>(capacity);
        AtomicLong items = new AtomicLong();
        AtomicLong checksum = new AtomicLong();
        AtomicLong disorder = new AtomicLong();
        Thread[] threads = new Thread[producers + consumers];
        for (int i = 0; i < threads.length; i++) {
            final long number = i;
            threads[i] = new Thread(i < producers ? () -> produce(queue, number, count)
                    : () -> consume(queue, producers, items, checksum, disorder));
        }
        long start = System.nanoTime();
        for (Thread thread : threads) {
            thread.start();
        }
        for (int i = 0; i < producers; i++) {
            threads[i].join();
        }
        for (int i = 0; i < consumers; i++) {
            queue.put(LAST);
        }
        for (int i = producers; i < threads.length; i++) {
            threads[i].join();
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        if (prints) {
            System.out.println(items.get() + " " + seconds + " "
                    + Long.toUnsignedString(checksum.get()) + " " + (disorder.get() == 0 ? 1 : 0));
        }
    }

    public static void main(String[] args) throws InterruptedException {
        int producers = Integer.parseInt(args[0]);
        int consumers = Integer.parseInt(args[1]);
        int capacity = Integer.parseInt(args[2]);
        long count = Long.parseLong(args[3]);
        run(producers, consumers, capacity, count / 5, false); // so that it is compiled
        run(producers, consumers, capacity, count, true);
    }
}

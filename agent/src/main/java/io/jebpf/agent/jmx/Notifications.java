package io.jebpf.agent.jmx;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.MBeanNotificationInfo;
import javax.management.Notification;
import javax.management.NotificationBroadcasterSupport;
import javax.management.NotificationEmitter;

/**
 * Sends the MBean's notifications on a thread of its own, which is there while there is something
 * to send: what a listener does is the application's code, and may take its time. What does not fit
 * the queue is dropped. Thread-safe.
 */
final class Notifications {
  private static final int WAITING_MAX = 64;
  private static final long IDLE_SECONDS = 10;

  private final AtomicLong sequence = new AtomicLong();
  private final ThreadPoolExecutor sender;
  private final NotificationBroadcasterSupport support;

  Notifications() {
    sender =
        new ThreadPoolExecutor(
            1,
            1,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WAITING_MAX),
            Notifications::thread,
            new ThreadPoolExecutor.DiscardPolicy());
    sender.allowCoreThreadTimeOut(true);
    support =
        new NotificationBroadcasterSupport(
            sender,
            new MBeanNotificationInfo(
                new String[] {Watch.LOSSES, Watch.BUDGET, Watch.TROUBLE},
                Notification.class.getName(),
                "Losses above LossThreshold, a rate lowered by the budget, and troubles such as a"
                    + " profile that could not be written or sent; at most one a minute of a"
                    + " kind"));
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(null, work, "jebpf-jmx", 0, false);
    thread.setDaemon(true);
    thread.setContextClassLoader(Notifications.class.getClassLoader());
    return thread;
  }

  NotificationEmitter emitter() {
    return support;
  }

  void send(String type, String message) {
    support.sendNotification(
        new Notification(
            type,
            LazyRegistration.NAME,
            sequence.incrementAndGet(),
            System.currentTimeMillis(),
            message));
  }

  void close() {
    sender.shutdown();
  }
}

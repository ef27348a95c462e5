#include "base/thread_pool.h"

#include <utility>

#include "base/cpu.h"

namespace kinglet {

ThreadPool::ThreadPool(int threads) {
  const int n = threads > 0 ? threads : cpu_count();
  for (int worker = 1; worker < n; ++worker) workers_.emplace_back([this, worker] { work(worker); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  start_.notify_all();
  for (auto& thread : workers_) thread.join();
}

void ThreadPool::parallel_for(int64_t n, const std::function<void(int64_t, int)>& task) {
  {
    std::lock_guard lock(mutex_);
    task_ = &task;
    next_ = 0;
    count_ = n;
    busy_ = threads();
    ++round_;
  }
  start_.notify_all();
  drain(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return busy_ == 0; });
  if (auto failure = std::exchange(failure_, nullptr)) std::rethrow_exception(failure);
}

void ThreadPool::work(int worker) {
  uint64_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      start_.wait(lock, [&] { return stop_ || round_ != seen; });
      if (stop_) return;
      seen = round_;
    }
    drain(worker);
  }
}

void ThreadPool::drain(int worker) {
  std::unique_lock lock(mutex_);
  while (next_ < count_) {
    const int64_t index = next_++;
    lock.unlock();
    try {
      (*task_)(index, worker);
      lock.lock();
    } catch (...) {
      lock.lock();
      if (!failure_) failure_ = std::current_exception();
      next_ = count_;
    }
  }
  if (--busy_ == 0) done_.notify_all();
}

}  // namespace kinglet

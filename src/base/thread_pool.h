// parallel_for over a fixed set of threads. The first exception of a task is thrown again in the caller.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace kinglet {

class ThreadPool {
 public:
  /// `threads` in all, the caller included; 0 means cpu_count().
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }
  /// Calls task(index, worker) once for each index in [0, n); worker is 0 .. threads()-1. Returns when all are done.
  void parallel_for(int64_t n, const std::function<void(int64_t index, int worker)>& task);

 private:
  void work(int worker);
  void drain(int worker);
  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void(int64_t, int)>* task_ = nullptr;
  int64_t next_ = 0, count_ = 0;
  int busy_ = 0;
  uint64_t round_ = 0;
  bool stop_ = false;
  std::exception_ptr failure_;
};

}  // namespace kinglet

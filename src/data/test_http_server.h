// A small HTTP server on loopback for the download tests: one thread, ranges, and the faults that real servers have.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace kinglet::data {

struct ServedFile {
  std::string body;
  bool ranges = true;        ///< false: a Range header is ignored
  size_t cut_after = 0;      ///< connection closed after so many bytes of the body, each time; 0: never
  int status = 200;
  std::string location;      ///< for redirections
};

class TestHttpServer {
 public:
  TestHttpServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no loopback");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TestHttpServer() {
    stop_ = true;
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  TestHttpServer(const TestHttpServer&) = delete;
  TestHttpServer& operator=(const TestHttpServer&) = delete;

  void put(const std::string& path, ServedFile file) {
    std::lock_guard lock(mutex_);
    files_[path] = std::move(file);
  }
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  /// "path range" of each request so far ("-" without a range).
  std::vector<std::string> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  size_t body_bytes_sent() const { return sent_; }

 private:
  void serve() {
    while (!stop_) {
      const int client = ::accept(socket_, nullptr, nullptr);
      if (client < 0) return;
      std::string request;
      char buffer[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const auto n = ::recv(client, buffer, sizeof(buffer), 0);
        if (n <= 0) break;
        request.append(buffer, static_cast<size_t>(n));
      }
      answer(client, request);
      ::close(client);
    }
  }

  static void send_all(int client, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }

  void answer(int client, const std::string& request) {
    const size_t from = request.find(' ') + 1;
    const std::string path = request.substr(from, request.find(' ', from) - from);
    size_t start = 0;
    std::string range = "-";
    if (const size_t at = request.find("Range: bytes="); at != std::string::npos) {
      range = request.substr(at + 13, request.find('\r', at) - at - 13);
      start = std::stoul(range);
    }
    std::lock_guard lock(mutex_);
    requests_.push_back(path + " " + range);
    const auto file = files_.find(path);
    if (file == files_.end()) return send_all(client, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    send_file(client, file->second, start);
  }

  void send_file(int client, const ServedFile& file, size_t start) {
    if (file.status != 200)
      return send_all(client, "HTTP/1.1 " + std::to_string(file.status) + " x\r\nLocation: " + file.location + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    if (!file.ranges) start = 0;
    if (start > 0 && start >= file.body.size())
      return send_all(client, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    std::string part = file.body.substr(start);
    std::string head = start > 0 ? "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(start) + "-" + std::to_string(file.body.size() - 1) + "/" + std::to_string(file.body.size()) + "\r\n"
                                 : "HTTP/1.1 200 OK\r\n";
    head += "Content-Length: " + std::to_string(part.size()) + "\r\nConnection: close\r\n\r\n";
    if (file.cut_after > 0 && part.size() > file.cut_after) part.resize(file.cut_after);
    send_all(client, head);
    send_all(client, part);
    sent_ += part.size();
  }

  int socket_;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<size_t> sent_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, ServedFile> files_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace kinglet::data

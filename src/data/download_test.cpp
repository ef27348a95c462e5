#include "data/download.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "data/dataset.h"
#include "data/manifest.h"
#include "data/readers/readers.h"
#include "data/test_files.h"
#include "data/test_http_server.h"

namespace kinglet::data {
namespace {

namespace fs = std::filesystem;

std::string body(size_t n) {
  std::string text(n, '\0');
  for (size_t i = 0; i < n; ++i) text[i] = static_cast<char>(i * i / 7 + i);
  return text;
}
std::string sum(const std::string& text) { return sha256(std::as_bytes(std::span(text.data(), text.size()))); }

class Download : public testing::Test {
 protected:
  fs::path path() const { return folder_ / "deep/file.bin"; }
  fs::path part() const { return folder_ / "deep/file.bin.part"; }
  void expect_file(const std::string& text) const {
    ASSERT_TRUE(fs::exists(path()));
    EXPECT_EQ(read_text_file(path()), text);
    EXPECT_FALSE(fs::exists(part()));
  }
  TempFolder folder_;
  TestHttpServer server_;
};

TEST_F(Download, WholeFileWithProgress) {
  const auto text = body(300000);
  server_.put("/f", {text});
  int64_t last = 0, total = 0;
  download(server_.url("/f"), path(), sum(text), [&](const Progress& p) {
    EXPECT_GE(p.done, last);
    last = p.done;
    total = std::max(total, p.total);
  });
  expect_file(text);
  EXPECT_EQ(last, 300000);
  EXPECT_EQ(total, 300000);
}

TEST_F(Download, Sha1OfAPublisherWhoGivesNoBetter) {
  server_.put("/f", {"abc"});
  EXPECT_THROW(download(server_.url("/f"), path(), "b9993e364706816aba3e25717850c26c9cd0d89d"), Error);
  EXPECT_FALSE(fs::exists(path()));
  download(server_.url("/f"), path(), "a9993e364706816aba3e25717850c26c9cd0d89d");  // FIPS 180's example
  expect_file("abc");
}

TEST_F(Download, GoesOnWhereAnEarlierRunStopped) {
  const auto text = body(100000);
  server_.put("/f", {text});
  write_file(part(), std::string_view(text).substr(0, 60000));
  download(server_.url("/f"), path(), sum(text));
  expect_file(text);
  EXPECT_EQ(server_.requests(), (std::vector<std::string>{"/f 60000-"}));
  EXPECT_EQ(server_.body_bytes_sent(), 40000u);
}

TEST_F(Download, ConnectionsCutInTheMiddleAreTakenUpAgain) {
  const auto text = body(100000);
  server_.put("/f", {text, true, 30000});
  download(server_.url("/f"), path(), sum(text));
  expect_file(text);
  EXPECT_EQ(server_.requests(), (std::vector<std::string>{"/f -", "/f 30000-", "/f 60000-", "/f 90000-"}));
}

TEST_F(Download, ServerWithoutRangesStartsAgain) {
  const auto text = body(50000);
  server_.put("/f", {text, false});
  write_file(part(), std::string_view(text).substr(0, 20000));
  download(server_.url("/f"), path(), sum(text));
  expect_file(text);
}

TEST_F(Download, CutOffAndWithoutRangesGivesUpInWords) {
  const auto text = body(50000);
  server_.put("/f", {text, false, 20000});
  EXPECT_ERROR(download(server_.url("/f"), path(), sum(text)), "file.bin", "could not be downloaded", "/f");
  EXPECT_FALSE(fs::exists(path()));
  EXPECT_LT(server_.requests().size(), 12u);
}

TEST_F(Download, StalePartOfAnotherVersionIsReplaced) {
  const auto text = body(50000);
  server_.put("/f", {text});
  write_file(part(), std::string(20000, 'x'));
  download(server_.url("/f"), path(), sum(text));
  expect_file(text);
  write_file(part(), std::string(60000, 'x'));  // longer than the file: 416
  download(server_.url("/f"), path(), sum(text));
  expect_file(text);
}

TEST_F(Download, WrongBytesAreRefusedAndTheMirrorTried) {
  const auto text = body(5000);
  server_.put("/wrong", {body(5001)});
  server_.put("/right", {text});
  EXPECT_ERROR(download(server_.url("/wrong"), path(), sum(text)), "file.bin", "SHA-256", sum(text), sum(body(5001)));
  EXPECT_FALSE(fs::exists(path()));
  EXPECT_FALSE(fs::exists(part()));
  const std::vector<std::string> urls{server_.url("/missing"), server_.url("/wrong"), server_.url("/right")};
  download(urls, path(), sum(text));
  expect_file(text);
}

TEST_F(Download, EndlessBodiesStopAtTheExpectedSize) {
  const auto text = body(5000);
  server_.put("/f", {body(3'000'000)});
  const std::vector<std::string> urls{server_.url("/f")};
  EXPECT_ERROR(download(urls, path(), sum(text), 5000), "more than the 5000 bytes");
  EXPECT_FALSE(fs::exists(part()));
}

TEST_F(Download, FailuresAreMissingDependenciesInWords) {
  try {
    download(server_.url("/nothing"), path(), sum(""));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("404"), std::string::npos) << error.what();
    EXPECT_EQ(error.kind(), ErrorKind::missing_dependency);
  }
  EXPECT_ERROR(download("http://127.0.0.1:1/f", path(), sum("")), "127.0.0.1");
  EXPECT_ERROR(download("file:///etc/hostname", path(), sum("")), "could not be downloaded", "file");
  server_.put("/to_file", {"", true, 0, 302, "file:///etc/hostname"});
  EXPECT_ERROR(download(server_.url("/to_file"), path(), sum("")), "could not be downloaded");
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(Download, RedirectionsAreFollowed) {
  const auto text = body(900);
  server_.put("/f", {text});
  server_.put("/old", {"", true, 0, 301, server_.url("/f")});
  download(server_.url("/old"), path(), sum(text));
  expect_file(text);
}

// ---- Archives

struct Entry {
  std::string name, content;
  int type = AE_IFREG;
  std::string link;
};

void write_archive(const fs::path& path, const std::vector<Entry>& entries, bool zip = false) {
  archive* a = archive_write_new();
  if (zip) archive_write_set_format_zip(a);
  else {
    archive_write_add_filter_gzip(a);
    archive_write_set_format_pax_restricted(a);
  }
  archive_write_open_filename(a, path.c_str());
  for (const auto& e : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, e.name.c_str());
    archive_entry_set_filetype(entry, static_cast<unsigned>(e.type));
    archive_entry_set_perm(entry, 0777);
    archive_entry_set_size(entry, static_cast<int64_t>(e.content.size()));
    if (e.type == AE_IFLNK) archive_entry_set_symlink(entry, e.link.c_str());
    else if (!e.link.empty()) archive_entry_set_hardlink(entry, e.link.c_str());
    archive_write_header(a, entry);
    archive_write_data(a, e.content.data(), e.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(a);
  archive_write_free(a);
}

TEST(UnpackArchive, TarAndZip) {
  for (bool zip : {false, true}) {
    TempFolder folder;
    write_archive(folder / "a", {{"set", "", AE_IFDIR, ""}, {"set/x/1.txt", "one", AE_IFREG, ""}, {"2.txt", "two", AE_IFREG, ""}}, zip);
    unpack_archive(folder / "a", folder / "out");
    EXPECT_EQ(read_text_file(folder / "out/set/x/1.txt"), "one");
    EXPECT_EQ(read_text_file(folder / "out/2.txt"), "two");
    EXPECT_EQ(fs::status(folder / "out/2.txt").permissions() & fs::perms::mask, fs::perms(0644));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder / "out"), fs::directory_iterator{}), 2) << "no temporary folder stays";
  }
}

TEST(UnpackArchive, EscapesAndLinksAreRefusedAndNothingStays) {
  const std::vector<std::pair<Entry, std::string>> cases{
      {{"../evil.txt", "x", AE_IFREG, ""}, "leads out of its folder"}, {{"a/../../evil.txt", "x", AE_IFREG, ""}, "leads out of its folder"},
      {{"/tmp/evil.txt", "x", AE_IFREG, ""}, "absolute"},              {{"link", "", AE_IFLNK, "/etc"}, "neither a file nor a folder"},
      {{"hard", "", AE_IFREG, "good.txt"}, "neither a file nor a folder"}};
  for (const auto& [entry, message] : cases) {
    TempFolder folder;
    write_archive(folder / "a.tar.gz", {{"good.txt", "ok", AE_IFREG, ""}, entry});
    EXPECT_ERROR(unpack_archive(folder / "a.tar.gz", folder / "out"), "a.tar.gz", message);
    EXPECT_TRUE(fs::is_empty(folder / "out")) << entry.name;
    EXPECT_FALSE(fs::exists(folder / "evil.txt"));
  }
}

TEST(UnpackArchive, LimitsAndDamage) {
  TempFolder folder;
  write_archive(folder / "bomb", {{"zeros", std::string(3'000'000, '\0'), AE_IFREG, ""}});
  EXPECT_ERROR(unpack_archive(folder / "bomb", folder / "out", {1'000'000, 10, 1e9}), "bomb", "more than 1000000 bytes");
  EXPECT_ERROR(unpack_archive(folder / "bomb", folder / "out", {uint64_t{1} << 30, 10, 2}), "bomb", "more than 2 times");
  write_archive(folder / "many", {{"1", "", AE_IFREG, ""}, {"2", "", AE_IFREG, ""}, {"3", "", AE_IFREG, ""}});
  EXPECT_ERROR(unpack_archive(folder / "many", folder / "out", {1000, 2, 100}), "many", "more than 2 files");
  write_file(folder / "text", std::string_view("this is no archive at all, whatever it says"));
  EXPECT_ERROR(unpack_archive(folder / "text", folder / "out"), "text", "damaged archive");
  write_archive(folder / "whole", {{"x", body(200000), AE_IFREG, ""}});
  const auto whole = read_text_file(folder / "whole");
  write_file(folder / "cut", std::string_view(whole).substr(0, whole.size() / 2));
  EXPECT_ERROR(unpack_archive(folder / "cut", folder / "out"), "cut", "damaged archive");
  EXPECT_TRUE(fs::is_empty(folder / "out"));
}

// ---- `data get` from end to end: manifest, server, sums, reader

class DataGet : public testing::Test {
 protected:
  DataGet()
      : manifests_("KINGLET_DATASETS", (folder_ / "datasets").string()),
        data_("KINGLET_DATA", (folder_ / "data").string()),
        cache_("XDG_CACHE_HOME", (folder_ / "cache").string()) {}

  void write_manifest(const std::string& url, const std::string& sum_of_archive, const std::string& sum_of_file) {
    const Json json{{"name", "toy"}, {"title", "toy"}, {"url", "http://x"}, {"licence", "none"}, {"classes", {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}},
                    {"reader", "cifar10"}, {"folders", {"toy"}}, {"splits", {{"test", {{"files", {"t.bin"}}}}}},
                    {"files", {{"t.bin", {{"sha256", sum_of_file}}}}},
                    {"downloads", Json::array({{{"file", "toy.tar.gz"}, {"urls", {url}}, {"sha256", sum_of_archive}, {"unpack", true}}})}};
    write_file(folder_ / "datasets/toy.json", json.dump());
  }

  TempFolder folder_;
  ScopedEnvironment manifests_, data_, cache_;
  TestHttpServer server_;
};

TEST_F(DataGet, DownloadsUnpacksVerifiesAndOpens) {
  const std::string record = std::string(1, '\4') + std::string(3072, '\x55');
  write_archive(folder_ / "toy.tar.gz", {{"toy/t.bin", record, AE_IFREG, ""}});
  const auto archive_bytes = read_text_file(folder_ / "toy.tar.gz");
  server_.put("/toy.tar.gz", {archive_bytes, true, 60});
  write_manifest(server_.url("/toy.tar.gz"), sum(archive_bytes), sum(record));
  EXPECT_ERROR(open_dataset("toy", "test"), "toy", "kinglet data get toy");
  EXPECT_EQ(get("toy"), folder_ / "cache/kinglet/data/toy");
  EXPECT_EQ(open_dataset("toy", "test")->label(0), 4);
  const auto count = server_.requests().size();
  get("toy");
  EXPECT_EQ(server_.requests().size(), count) << "what is there is not fetched again";
  write_file(folder_ / "cache/kinglet/data/toy/t.bin", std::string(3073, 'x'));
  EXPECT_ERROR(get("toy"), "t.bin", "SHA-256");
}

TEST_F(DataGet, TakesAnArchiveThatIsAlreadyThere) {
  const std::string record = std::string(1, '\4') + std::string(3072, '\x55');
  fs::create_directories(folder_ / "data");
  write_archive(folder_ / "data/toy.tar.gz", {{"toy/t.bin", record, AE_IFREG, ""}});
  write_manifest("http://127.0.0.1:1/", sum(read_text_file(folder_ / "data/toy.tar.gz")), sum(record));
  get("toy");
  EXPECT_EQ(open_dataset("toy", "test")->size(), 1);
  EXPECT_TRUE(fs::exists(folder_ / "data/toy.tar.gz")) << "the user's own file stays";
}

}  // namespace
}  // namespace kinglet::data

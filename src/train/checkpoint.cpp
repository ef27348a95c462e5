#include "train/checkpoint.h"

#include <span>

#include "base/bytes.h"
#include "base/error.h"

namespace kinglet::train {

namespace {

constexpr uint32_t kVersion = 1;

std::vector<std::vector<float> TrainState::*> arrays() {
  return {&TrainState::first, &TrainState::second, &TrainState::average, &TrainState::average_statistics};
}

EpochRecord record_from_json(const Json& json, const std::string& where) {
  EpochRecord r;
  r.epoch = json_at<int>(json, "epoch", where);
  r.lr = json_at<double>(json, "lr", where);
  r.loss = json_at<double>(json, "loss", where);
  r.train_top1 = json_at<double>(json, "train_top1", where);
  r.val_top1 = json_at<double>(json, "val_top1", where);
  r.images_per_s = json_at<double>(json, "images_per_s", where);
  r.seconds = json_at<double>(json, "seconds", where);
  return r;
}

Json header(const TrainState& state) {
  Json json;
  json["epoch"] = state.epoch;
  json["step"] = state.step;
  json["loss_sum"] = state.loss_sum;
  json["correct"] = state.correct;
  json["seen"] = state.seen;
  json["epoch_seconds"] = state.epoch_seconds;
  json["optimizer_steps"] = state.optimizer_steps;
  json["average_updates"] = state.average_updates;
  json["best_top1"] = state.best_top1;
  json["best_epoch"] = state.best_epoch;
  json["threads"] = state.threads;
  json["recipe"] = state.recipe;
  json["recipe_hash"] = state.recipe_hash;
  json["records"] = Json::array();
  for (const auto& record : state.records) json["records"].push_back(record_to_json(record));
  for (auto array : arrays()) json["arrays"].push_back((state.*array).size());
  return json;
}

TrainState from_header(const Json& json, const std::string& where) {
  TrainState state;
  state.epoch = json_at<int64_t>(json, "epoch", where);
  state.step = json_at<int64_t>(json, "step", where);
  state.loss_sum = json_at<double>(json, "loss_sum", where);
  state.correct = json_at<int64_t>(json, "correct", where);
  state.seen = json_at<int64_t>(json, "seen", where);
  state.epoch_seconds = json_at<double>(json, "epoch_seconds", where);
  state.optimizer_steps = json_at<int64_t>(json, "optimizer_steps", where);
  state.average_updates = json_at<int64_t>(json, "average_updates", where);
  state.best_top1 = json_at<double>(json, "best_top1", where);
  state.best_epoch = json_at<int>(json, "best_epoch", where);
  state.threads = json_at<int>(json, "threads", where);
  state.recipe = json_at<std::string>(json, "recipe", where);
  state.recipe_hash = json_at<std::string>(json, "recipe_hash", where);
  for (const auto& record : json_at<Json>(json, "records", where)) state.records.push_back(record_from_json(record, where));
  return state;
}

}  // namespace

Json record_to_json(const EpochRecord& r) {
  return Json{{"epoch", r.epoch},       {"lr", r.lr},           {"loss", r.loss},      {"train_top1", r.train_top1},
              {"val_top1", r.val_top1}, {"images_per_s", r.images_per_s}, {"seconds", r.seconds}};
}

std::vector<std::byte> encode_state(const TrainState& state) {
  const std::string text = header(state).dump();
  ByteWriter out;
  out.write(kVersion);
  out.write(static_cast<uint32_t>(text.size()));
  out.append(text);
  for (auto array : arrays()) out.append(std::as_bytes(std::span(state.*array)));
  return std::move(out.bytes());
}

TrainState decode_state(std::span<const std::byte> bytes, const std::string& where) {
  ByteReader in(bytes, where + ": train_state");
  if (in.read<uint32_t>() != kVersion) throw Error(where, "was written by a newer version of Kinglet", "resume with that version");
  const auto length = in.read<uint32_t>();
  const Json json = parse_json(in.take_text(length), where);
  TrainState state = from_header(json, where);
  const auto sizes = json_at<std::vector<uint64_t>>(json, "arrays", where);
  if (sizes.size() != arrays().size()) in.fail("lists " + std::to_string(sizes.size()) + " arrays");
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] > in.left() / sizeof(float)) in.fail("is shorter than its arrays");
    const auto raw = in.take(sizes[i] * sizeof(float));
    auto& array = state.*(arrays()[i]);
    array.resize(sizes[i]);
    if (!raw.empty()) std::memcpy(array.data(), raw.data(), raw.size());
  }
  return state;
}

}  // namespace kinglet::train

#include "base/error.h"
#include "base/file.h"
#include "card/card.h"
#include "cli/verb.h"
#include "data/dataset.h"
#include "flow/make_card.h"

namespace kinglet::cli {

namespace {

struct Args {
  std::vector<std::string> with, seed_runs;
  std::string model, data, out;
  flow::CardOptions options;
};

using Paths = std::vector<std::filesystem::path>;

/// After a change of how cards are laid out, or with other words: the same figures, no model opened.
Paths write_again(const Args& args) {
  if (!args.data.empty() || !args.with.empty() || !args.seed_runs.empty() || !args.options.name.empty()) throw Error(args.model, "is a card: nothing of it is measured again", "give the model to measure", ErrorKind::usage);
  const std::filesystem::path path = args.model;
  card::CardInput card = card::card_from_json(parse_json(read_text_file(path), path.string()), path.string());
  if (!args.options.notes.empty()) card.limits = args.options.notes;
  if (!args.options.description.empty()) card.model.description = args.options.description;
  return card::write_card(card, args.out.empty() ? path.parent_path() : std::filesystem::path(args.out));
}

Paths measure(const Verb& verb, Args& args) {
  if (args.data.empty() || args.out.empty()) throw Error(args.data.empty() ? "--data" : "--output", "is required to make a card of a model", {}, ErrorKind::usage);
  std::vector<graph::Model> models{verb.open(args.model)};
  for (const auto& other : args.with) models.push_back(verb.open(other));
  for (const auto& other : args.seed_runs) args.options.seed_runs.push_back(verb.open(other));
  args.options.numerics = verb.numerics();
  args.options.threads = verb.flags.threads;
  args.options.progress = verb.progress();
  return flow::make_card(models, *data::open_dataset(args.data, "test"), args.out, args.options);
}

}  // namespace

void add_card(Verb& verb) {
  auto args = std::make_shared<Args>();
  verb.add_model_flags();
  verb.app.add_option("MODEL", args->model, "model file, whose confusion and mistakes the card shows; or a card.json, whose README.md and card.html are written again beside it")->required();
  verb.app.add_option("--data", args->data, "test pictures, NAME[:SPLIT] or a path (default split: test)");
  verb.app.add_option("-o,--output", args->out, "folder for README.md, card.html, card.json and the exported files");
  verb.app.add_option("--with", args->with, "the same network in another precision, for a row of its own");
  verb.app.add_option("--seed-run", args->seed_runs, "the same recipe trained with another seed (float or int8), for the table of seeds");
  verb.app.add_option("--name", args->options.name, "name on the card (default: the model's)");
  verb.app.add_option("--description", args->options.description, "a sentence or two");
  verb.app.add_option("--note", args->options.notes, "a sentence on what holds the figures down or would raise them; may be given again");
  verb.app.add_option("--weights-licence", args->options.licences.weights, "licence of the weights (default Apache-2.0)");
  verb.examples("  kinglet card m.kinglet --data cifar10:test -o card/\n"
                "  kinglet card m.kinglet --with runs/x/best.kinglet --data cifar10:test -o card/\n"
                "  kinglet card card/card.json    # the texts again, from the same figures");
  verb.action = [&verb, args] {
    const auto files = std::filesystem::path(args->model).extension() == ".json" ? write_again(*args) : measure(verb, *args);
    Json list = Json::array();
    std::string text;
    for (const auto& file : files) list.push_back(file.string()), text += file.string() + "\n";
    verb.print({{"files", list}}, text);
    return 0;
  };
}

}  // namespace kinglet::cli

#include <fmt/format.h>

#include "base/error.h"
#include "cli/verb.h"
#include "data/dataset.h"
#include "flow/make_card.h"

namespace kinglet::cli {

void add_card(Verb& verb) {
  struct Args {
    std::vector<std::string> with, seed_runs;
    std::string model, data, out;
    flow::CardOptions options;
  };
  auto args = std::make_shared<Args>();
  verb.add_model_flags();
  verb.app.add_option("MODEL", args->model, "model file; the card shows its confusion and mistakes")->required();
  verb.app.add_option("--data", args->data, "test pictures, NAME[:SPLIT] or a path (default split: test)")->required();
  verb.app.add_option("-o,--output", args->out, "folder for README.md, card.html, card.json and the exported files")->required();
  verb.app.add_option("--with", args->with, "the same network in another precision, for a row of its own");
  verb.app.add_option("--seed-run", args->seed_runs, "the same recipe trained with another seed (float or int8), for mean and spread");
  verb.app.add_option("--name", args->options.name, "name on the card (default: the model's)");
  verb.app.add_option("--description", args->options.description, "a sentence or two");
  verb.app.add_option("--weights-licence", args->options.licences.weights, "licence of the weights (default Apache-2.0)");
  verb.examples("  kinglet card m.kinglet --data cifar10:test -o card/\n"
                "  kinglet card m.kinglet --with runs/x/best.kinglet --data cifar10:test -o card/");
  verb.action = [&verb, args] {
    std::vector<graph::Model> models{verb.open(args->model)};
    for (const auto& other : args->with) models.push_back(verb.open(other));
    for (const auto& other : args->seed_runs) args->options.seed_runs.push_back(verb.open(other));
    const auto pictures = data::open_dataset(args->data, "test");
    args->options.numerics = verb.numerics();
    args->options.threads = verb.flags.threads;
    args->options.progress = verb.progress();
    const auto files = flow::make_card(models, *pictures, args->out, args->options);
    Json list = Json::array();
    std::string text;
    for (const auto& file : files) list.push_back(file.string()), text += file.string() + "\n";
    verb.print({{"files", list}}, text);
    return 0;
  };
}

}  // namespace kinglet::cli

// Everything between the command line and the report.
#include "Session.h"
#include "Failure.h"
#include "Guard.h"
#include "PeakLoop.h"
#include "Report.h"
#include "Steps.h"

#include <chrono>

using namespace attn;
using namespace attn::run;
using llvm::Error;

namespace {

/// In the order in which it can go wrong: the cheap and the user's mistakes first.
class Session {
public:
  explicit Session(const Options &options) : options(options) { report.options = &options; }

  int run() {
    Error error = work();
    if (!error && report.comparisonsOk() && badIndex.empty()) {
      print(ExitOk, "");
      return ExitOk;
    }
    if (error)
      return failed(std::move(error));
    if (!report.comparisonsOk())
      return failed(fail(ExitCheckFailed, "{}", whatFailed()));
    return failed(fail(ExitBadInput, "{}", badIndex));
  }

private:
  Error work() {
    auto loaded = loadProgram(options);
    if (!loaded)
      return loaded.takeError();
    program = std::move(*loaded);
    report.program = &program;
    setReproducer(program.source);
    auto made = makeProblem(program, options);
    if (!made)
      return made.takeError();
    problem = std::move(*made);
    report.problem = &problem;
    if (!program.attend)
      return stepsWork();
    auto oracle = makeInterpreter(program, problem, options);
    if (!oracle)
      return oracle.takeError();
    auto expected = readExpected(problem, options);
    if (!expected)
      return expected.takeError();
    expectedFiles = std::move(*expected);
    Visibility visibility(program, problem, **oracle);
    if (!needsKernel() && !options.explain) {
      survey(visibility);
      return pictures();
    }
    const CycleCounter cycles; // before the threads that it counts
    Error error = execute();
    if (error && options.explain)
      error = notCompiled(std::move(error));
    if (error)
      return error;
    if (!report.execution) {
      survey(visibility);
      if (Error e = pictures())
        return e;
      return needsKernel() ? fail(ExitUnsupported, "{}", report.unsupported) : Error::success();
    }
    return judge(visibility, **oracle, cycles);
  }

  /// A kernel of several steps. Its sets are looked at where that was asked for, or costs little beside the check.
  Error stepsWork() {
    auto oracle = makeSteps(program, problem, options);
    if (!oracle)
      return oracle.takeError();
    auto expected = readExpected(problem, options);
    if (!expected)
      return expected.takeError();
    expectedFiles = std::move(*expected);
    const CycleCounter cycles; // before the threads that it counts
    Error error = needsKernel() || options.explain ? execute() : Error::success();
    if (error && options.explain)
      error = notCompiled(std::move(error));
    if (error)
      return error;
    if (options.check || options.explain) {
      auto surveys = surveySteps(program, problem, **oracle, options);
      if (!surveys)
        return surveys.takeError();
      report.steps = std::move(*surveys);
    }
    if (!report.execution)
      return needsKernel() ? fail(ExitUnsupported, "{}", report.unsupported) : Error::success();
    if (options.check) {
      auto check = checkSteps(program, problem, **oracle, options.seed);
      if (!check)
        return check.takeError();
      report.check = std::move(*check);
      if (report.check->badIndex && badIndex.empty())
        return fail(ExitCheckFailed, "the interpreter met an index out of bounds and the kernel did not report it");
    }
    report.expected = compareExpected(problem, options, expectedFiles);
    if (!options.bench || !report.comparisonsOk())
      return Error::success();
    auto result = bench(*execution, cycles, report.flops(), peakLoopOf(*execution, program), options.rounds);
    if (!result)
      return result.takeError();
    report.bench = std::move(*result);
    report.seconds = report.bench->seconds;
    predict();
    return Error::success();
  }

  /// Whether something was asked for beyond what the set itself says. Nothing at all is a run.
  bool needsKernel() const {
    return options.check || options.bench || !options.saves.empty() || !options.expects.empty() ||
           (!options.explain && options.pictures.empty());
  }

  Error execute() {
    auto created = Execution::create(program, problem, options);
    if (!created)
      return created.takeError();
    execution = std::move(*created);
    const auto start = std::chrono::steady_clock::now();
    if (Error e = execution->run())
      return e;
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    badIndex = execution->badIndex();
    report.execution = execution.get();
    for (const Assignment &a : options.saves) {
      const Tensor &t = *problem.find(a.name);
      if (Error e = writeNpy(a.value, t.element, t.shape, t.data.data()))
        return e;
    }
    return Error::success();
  }

  /// What the compiler does not take yet can still be explained; other errors stay.
  Error notCompiled(Error error) {
    return llvm::handleErrors(
        std::move(error),
        [&](std::unique_ptr<CompileError> e) -> Error {
          if (e->kind != CompileFailure::Unsupported)
            return Error(std::move(e));
          report.unsupported = toFailure(Error(std::move(e))).message;
          return Error::success();
        },
        [&](std::unique_ptr<Failure> e) -> Error {
          if (e->code != ExitUnsupported)
            return Error(std::move(e));
          report.unsupported = e->message;
          return Error::success();
        });
  }

  /// Needs no kernel; with one, the map is of its blocks.
  void survey(Visibility &visibility) {
    if (!report.pairs)
      report.pairs = countPairs(visibility, problem, 3);
    if (problem.rows() == 0 || problem.keys() == 0)
      return;
    SurveyRequest request;
    request.name = program.kernel.getSymName().str();
    request.map = request.graph = options.explain;
    request.picture = !options.pictures.empty();
    int64_t chosen = 16; // no kernel says: few enough for a glance
    while (std::max(problem.queries(), problem.keys()) / chosen > 256)
      chosen *= 2;
    auto block = [&](int64_t ofKernel, int64_t asked) { return ofKernel > 0 ? ofKernel : asked > 0 ? asked : chosen; };
    const Simulation *simulation = report.execution ? execution->simulation() : nullptr;
    request.blockRows = block(simulation         ? simulation->work().blockQueries
                              : report.execution ? execution->stats().block_rows
                                                 : 0,
                              options.blockRows);
    request.blockKeys = block(report.execution ? execution->stats().block_keys : 0, options.blockKeys);
    report.survey = surveyRows(visibility, problem, request);
  }

  Error pictures() {
    if (!options.pictures.empty() && !report.survey)
      return fail(ExitBadInput, "--picture: there are no pairs to draw; choose larger --size");
    for (const std::string &path : options.pictures) {
      if (Error e = writePicture(path, *report.survey->picture))
        return e;
      report.pictures.push_back(path);
    }
    return Error::success();
  }

  Error judge(Visibility &visibility, interpreter::Interpreter &oracle, const CycleCounter &cycles) {
    report.pairs = countPairs(visibility, problem, 3);
    if (options.check) {
      report.check = checkResults(program, problem, oracle, options.seed);
      if (report.check->badIndex && badIndex.empty())
        return fail(ExitCheckFailed, "the interpreter met an index out of bounds and the kernel did not report it");
    }
    report.expected = compareExpected(problem, options, expectedFiles);
    if (options.explain || !options.pictures.empty())
      survey(visibility);
    if (Error e = pictures())
      return e;
    if (!options.bench || !report.comparisonsOk()) {
      if (options.explain)
        predict();
      return Error::success();
    }
    const double flops = report.flopsPerPair() * report.pairs->visible;
    auto result = bench(*execution, cycles, flops, peakLoopOf(*execution, program), options.rounds);
    if (!result)
      return result.takeError();
    report.bench = std::move(*result);
    report.seconds = report.bench->seconds;
    predict();
    return Error::success();
  }

  /// Not to be had is no error: the report says why.
  void predict() {
    auto model = CostModel::create(program, options);
    Error error = model.takeError();
    if (!error && execution->simulation())
      error = fail(ExitUnsupported, "the time of a GPU's kernel");
    if (!error) {
      MachineRates rates;
      if (report.bench) { // the rounds' own peak
        rates.cyclesPerSecond = report.bench->peakGflops * 1e9 / report.bench->flopsPerCycle / execution->workers();
        rates.bytesPerSecond = measureReading(*execution, problem);
      } else {
        rates = measureRates(*execution, problem, peakLoopOf(*execution, program));
      }
      if (rates.cyclesPerSecond <= 0) {
        report.notPredicted = "this CPU has no AVX2 and FMA for the peak loop";
        return;
      }
      auto predicted = model->predict(*execution, problem, report.pairs->visible, rates);
      error = predicted.takeError();
      if (!error)
        report.predicted = std::move(*predicted);
    }
    if (error)
      report.notPredicted = toFailure(std::move(error)).message;
  }

  std::string whatFailed() const {
    auto all = report.check ? report.check->outputs : std::vector<Comparison>();
    all.insert(all.end(), report.expected.begin(), report.expected.end());
    for (const Comparison &c : all)
      if (!c.report.ok)
        return fmt::format("{} is wrong: {}; {}", c.name, c.report.what, c.worst);
    return "";
  }

  int failed(Error error) {
    Failure failure(ExitInternal, "");
    std::string ir;
    error = llvm::handleErrors(std::move(error), [&](std::unique_ptr<CompileError> e) {
      ir = e->reproducer;
      return Error(std::move(e));
    });
    failure = toFailure(std::move(error));
    if (failure.code == ExitInternal) {
      const std::string path = writeReproducer(ir);
      failure.message += path.empty() ? "; please report it" : "; please report it with " + path;
    }
    print(failure.code, failure.message);
    return failure.code;
  }

  void print(int code, const std::string &error) {
    report.exitCode = code;
    report.error = error;
    if (options.json)
      printJson(report);
    else if (report.execution || report.survey || report.pairs || !report.steps.empty())
      printText(report);
    std::fflush(stdout);
    if (!error.empty())
      fmt::print(stderr, "attn-run: error: {}\n", error);
  }

  const Options &options;
  Report report;
  Program program;
  Problem problem;
  std::vector<NpyArray> expectedFiles;
  std::unique_ptr<Execution> execution;
  std::string badIndex;
};

} // namespace

int attn::run::runSession(const Options &options) { return Session(options).run(); }

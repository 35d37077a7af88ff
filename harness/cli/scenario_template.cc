// SPDX-License-Identifier: Apache-2.0
#include "cli/scenario_template.h"

#include <string_view>

namespace hilcop {
namespace {

constexpr std::string_view kTemplate = R"py(# SPDX-License-Identifier: Apache-2.0
"""@ID@: what the device must do, in one sentence."""

from __future__ import annotations

from hilcop import Dut, Run, powered, scenario


# clauses: the provisions of ETSI EN 303 645 that it speaks for. roles: what the DUT needs on its bench.
# timeout_s: one number, or one for each effort: {"demo": 60, "test": 120, "standard": 600}.
@scenario("@ID@", title="The shell computes", clauses=["5.9-1"], roles=["power", "console"], timeout_s=120)
def @FUNCTION@(dut: Dut, run: Run) -> None:
    # Checks and measurements are declared before the stimulus: what must be seen, and within which limits.
    check = run.check("computes", expected="6 * 7 is 42")
    boot_time = run.measurement("boot time", unit="s")
    with powered(dut), run.step("boot and ask"):
        boot = dut.boot_to()
        if not boot.complete:
            # A device that does not come up is a Fail; one that the busy host alone kept waiting is not judged.
            if boot.starved_only:
                check.inconclusive(f"stage '{boot.missing}' did not come while the host was busy for {boot.starved_s:.1f} s")
            else:
                span = (boot.begin, dut.console.offset)
                check.fail(observed=f"stage '{boot.missing}' did not come", evidence=[run.console_evidence(span, "boot")])
            return
        boot_time.record(boot.stages[-1].elapsed_s)
        dut.console.login()
        # The control shows that this way of asking would see the bad case. Without one a check never passes.
        wrong = dut.console.run("echo $((6 * 9)); exit 3")
        seen = wrong.exit_status == 3 and wrong.output.strip() == "54"
        check.control("another sum and a failure are seen as such", ok=seen, evidence=[run.console_evidence(wrong)])
        # The stimulus, then the judgement with what was observed and where it stands in the recording.
        answer = dut.console.run("echo $((6 * 7))")
        ok = answer.exit_status == 0 and answer.output.strip() == "42"
        check.judge(ok, observed=f"exit status {answer.exit_status}, {answer.output!r}", evidence=[run.console_evidence(answer)])
)py";

}  // namespace

std::string scenario_template(const std::string& id, const std::string& function) {
  std::string text(kTemplate);
  const auto fill = [&text](std::string_view mark, const std::string& value) {
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) text.replace(at, mark.size(), value);
  };
  fill("@ID@", id);
  fill("@FUNCTION@", function);
  return text;
}

}  // namespace hilcop

// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hilcop {

/// The report's style sheet: light and dark by what the reader's system prefers; no font, no image, nothing from elsewhere.
inline constexpr const char* kPageStyle = R"css(
:root{--bg:#fff;--fg:#1c2330;--soft:#5b6577;--line:#dfe3ea;--panel:#f6f8fb;--pass:#11724b;--fail:#b3261e;--warn:#8a5a00;--blue:#1f5fbf}
@media(prefers-color-scheme:dark){:root{--bg:#12161d;--fg:#e4e8ef;--soft:#98a3b5;--line:#2c3442;--panel:#1a2029;--pass:#4cc38a;--fail:#ff7b72;--warn:#e3b341;--blue:#79b0ff}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 20px}h1{margin:0 0 12px;font-size:26px}h2{margin:34px 0 10px;font-size:19px;border-bottom:1px solid var(--line);padding-bottom:4px}
h3{font-size:17px;margin:0 0 6px}h3 small{color:var(--soft);font-weight:400;font-size:14px}h4{margin:0 0 6px;font-size:15px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:5px 10px 5px 0;vertical-align:top}.summary{margin-top:22px}.summary td,.summary th{border-bottom:1px solid var(--line);padding:8px 10px 8px 0}
.facts th{color:var(--soft);font-weight:400;width:150px;white-space:nowrap}.facts td,.facts th{padding:1px 10px 1px 0;overflow-wrap:anywhere}
.v{display:inline-block;min-width:92px;text-align:center;padding:1px 10px;border-radius:11px;border:1.5px solid;font-weight:600;font-size:13px}
.Pass,.Attested{color:var(--pass)}.Fail{color:var(--fail)}.Error,.Inconclusive,.NotRun{color:var(--warn)}.NotApplicable{color:var(--soft)}
article{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:16px 18px;margin:14px 0}.check{border-top:1px solid var(--line);padding:12px 0 2px;margin-top:10px}
dl{display:grid;grid-template-columns:90px 1fr;gap:3px 12px;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}ul{margin:0;padding-left:0;list-style:none}
li.ok::before{content:"✓ ";color:var(--pass)}li.bad::before{content:"✗ ";color:var(--fail)}.error{color:var(--fail)}.note{color:var(--warn)}a{color:var(--blue)}code{font-size:12px;color:var(--soft)}
figure{margin:0;background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:10px;overflow-x:auto}figcaption{color:var(--soft);font-size:13px;padding:2px 6px}svg{width:100%;height:auto;min-width:640px;display:block}
.grid{stroke:var(--line)}.tick{fill:var(--soft);font-size:11px;text-anchor:middle}.tick.left{text-anchor:end}.dut{fill:var(--fg);font-size:13px;font-weight:600}
.power{fill:none;stroke:var(--blue);stroke-width:1.6}.stage{stroke:var(--pass);stroke-width:1.6}.stage.late{stroke:var(--fail);stroke-width:3}.lost{fill:var(--fail)}
.bar.b0{fill:#8fb4e8}.bar.b1{fill:#5b8dd6}.bar.b2{fill:#3c6fb8}.bar.b3{fill:#2a9d7f}.bar.b4{fill:#c9a227}
.whisker{stroke:var(--soft);stroke-width:1.4}.median{stroke:var(--fg);stroke-width:2}.hover{fill:transparent}.bar.late{stroke:var(--fail);stroke-width:2}.tick.cut{fill:var(--warn);font-size:13px;font-weight:600}
.boot-lines{margin:8px 0}.boot-lines td,.boot-lines th{border-bottom:1px solid var(--line);font-size:13px;overflow-wrap:anywhere}.boot-lines td:first-child,.boot-lines td:last-child{white-space:nowrap}.boot-lines td code{color:var(--fg)}
.key{display:inline-block;width:11px;height:11px;border-radius:2px;margin:0 4px 0 12px}.key.b0{background:#8fb4e8}.key.b1{background:#5b8dd6}.key.b2{background:#3c6fb8}.key.b3{background:#2a9d7f}.key.b4{background:#c9a227}
.log pre{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:10px;overflow:auto;max-height:70vh;font:12px/1.45 ui-monospace,monospace}
.log i{color:var(--soft);font-style:normal;user-select:none;display:inline-block;min-width:44px;text-align:right;padding-right:8px}.log .hit{background:color-mix(in srgb,var(--warn) 18%,transparent)}.log span:target{background:color-mix(in srgb,var(--blue) 30%,transparent)}
summary{cursor:pointer;color:var(--soft);margin:8px 0}
)css";

}  // namespace hilcop

// SPDX-License-Identifier: Apache-2.0
#include "bench/tables.h"

#include "bench/flash_config.h"
#include "bench/network_config.h"
#include "io/usb_descriptors.h"

namespace hilcop {
namespace {

using nlohmann::json;
using Type = KeySpec::Type;

KeySpec key(const char* name, Type type, const char* description) {
  KeySpec spec;
  spec.name = name;
  spec.type = type;
  spec.description = description;
  return spec;
}

KeySpec required(KeySpec spec) {
  spec.required = true;
  return spec;
}

KeySpec such_as(KeySpec spec, std::string example) {
  spec.example = std::move(example);
  return spec;
}

KeySpec with_default(KeySpec spec, json fallback) {
  spec.fallback = std::move(fallback);
  return spec;
}

KeySpec with(KeySpec spec, std::vector<KeySpec> children) {
  spec.children = std::move(children);
  return spec;
}

KeySpec duration_ms(const char* name, const char* description, double most = 600'000) {
  KeySpec spec = key(name, Type::Number, description);
  spec.min = 0;
  spec.max = most;
  return spec;
}

KeySpec most_hours(const char* name, const char* description) {
  KeySpec spec = key(name, Type::Number, description);
  spec.min = 0;
  spec.max = 87'600;
  return spec;
}

KeySpec count(const char* name, const char* description) {
  KeySpec spec = key(name, Type::Integer, description);
  spec.min = 1;
  spec.max = 1e12;
  return spec;
}

KeySpec chosen(KeySpec spec, std::vector<std::string> choices) {
  spec.choices = std::move(choices);
  return spec;
}

std::vector<KeySpec> source() {
  return {required(key("instrument", Type::String, "a name of `instruments:`")),
          required(key("channel", Type::String, "a channel of that instrument"))};
}

KeySpec contact() {
  return with_default(chosen(key("contact", Type::String, "normally-closed: the DUT has power while the output is off"),
                             {"normally-open", "normally-closed"}),
                      "normally-open");
}

std::vector<KeySpec> verify_keys() {
  return {with_default(key("read_back", Type::Boolean, "by what the instrument reads back"), true),
          duration_ms("console_silence_ms", "the main console must be still for so long", 60'000),
          duration_ms("usb_gone_ms", "what `usb:` shows must be gone by then", 60'000),
          key("input", Type::String, "a name of this DUT's `inputs:` that is asserted while it has power"),
          with(key("meter", Type::Map, "a meter that shows whether it draws current"),
               {required(key("name", Type::String, "a name of this DUT's `meters:`")),
                required(key("below", Type::Number, "what it shows less than while the DUT has no power, in its unit"))}),
          with_default(duration_ms("within_ms", "how long input and meter may lag behind", 60'000), 1000)};
}

KeySpec power_keys() {
  auto pole = source();
  pole.push_back(contact());
  auto from_one = source();
  for (auto& one : from_one) one.required = false;
  std::vector<KeySpec> keys = from_one;
  keys.push_back(contact());
  keys.push_back(with(key("poles", Type::List, "instead of instrument and channel: outputs that are switched together"),
                      {with(key("", Type::Map, ""), std::move(pole))}));
  keys.push_back(
      with_default(chosen(key("safe_state", Type::String, "what it is brought to when its holder goes"), {"off", "on", "keep"}), "off"));
  keys.push_back(with_default(duration_ms("min_off_ms", "at least so long off before on"), 0));
  keys.push_back(key("supply", Type::String, "a name of `supplies:`: it is switched on in its turn; not with safe_state on"));
  keys.push_back(count("rated_switches", "how often its contact is made to switch: over it, list and selftest warn"));
  keys.push_back(with(key("verify", Type::Map, "how a switch is verified"), verify_keys()));
  return with(key("power", Type::Map, "what powers it"), std::move(keys));
}

std::vector<KeySpec> console_extras() {
  const std::vector<std::string> levels{"on", "off"};
  return {
      with(key("while_off", Type::Map, "how its lines stand while the DUT has no power, so that they do not feed it"),
           {with_default(key("tx_low", Type::Boolean, "TX low: a break that lasts"), false),
            chosen(key("dtr", Type::String, "DTR asserted or not (a TTL adapter's pin is low while it is asserted)"), levels),
            chosen(key("rts", Type::String, "RTS asserted or not"), levels)}),
      with_default(key("comes_with_power", Type::Boolean, "its adapter is the DUT's own, and there only while the DUT has power"), false)};
}

// Where a role comes from, and what else the role has.
KeySpec role(const char* name, const char* description, std::vector<KeySpec> more = {}) {
  std::vector<KeySpec> keys = source();
  keys.insert(keys.end(), more.begin(), more.end());
  return with(key(name, Type::Map, description), std::move(keys));
}

KeySpec whole(const char* name, const char* description, double most) {
  KeySpec spec = key(name, Type::Integer, description);
  spec.min = 0;
  spec.max = most;
  return spec;
}

// What a USB device is by its descriptors.
KeySpec board_usb() {
  return with(
      key("usb", Type::Map, "what it shows as USB devices; anything else is a finding"),
      {with_default(
           with(key("expected", Type::List, "the devices that it may show"),
                {with(key("", Type::Map, ""),
                      {required(whole("vid", "vendor, as 0x0525", 0xffff)), required(whole("pid", "product, as 0xa4a7", 0xffff)),
                       required(with(key("interfaces", Type::List, "all of them, of every configuration and setting"),
                                     {with(key("", Type::Map, ""),
                                           {required(chosen(key("class", Type::String, "its class"), usb_class_names())),
                                            whole("subclass", "left out: any", 0xff), whole("protocol", "left out: any", 0xff)})}))})}),
           json::array()),
       with_default(with(key("forbidden_classes", Type::List, "classes of interfaces that it must never show"),
                         {chosen(key("", Type::String, ""), usb_class_names())}),
                    json::array())});
}

std::vector<KeySpec> output_extras() {
  return {
      with_default(key("active_low", Type::Boolean, "asserted is the low level"), false),
      with_default(chosen(key("safe_state", Type::String, "what it is brought to when its holder goes"), {"off", "on", "keep"}), "off")};
}

KeySpec network_role() {
  auto keys = network_keys();
  keys.push_back(
      role("uplink", "an interface of this host that leads to the lab's network, for a device that needs servers there", uplink_keys()));
  return role("network", "its network: a socket that is plugged into a network of the bench's own, or an interface that it hangs on", keys);
}

KeySpec storage_role() {
  KeySpec appear = with_default(key("appear_s", Type::Number, "how long it may take to show itself"), 10);
  appear.min = 0;
  appear.max = 600;
  return with(key("", Type::Map, "a disk"),
              {required(key("instrument", Type::String, "a name of `instruments:`")), appear,
               role("mux", "the output that gives it to the host; let go, the DUT has it",
                    {with_default(chosen(key("host", Type::String, "how the output stands when the host has it"), {"on", "off"}), "on")})});
}

}  // namespace

const std::vector<KeySpec>& board_keys() {
  static const std::vector<KeySpec> keys = [] {
    KeySpec stage_deadline = required(key("deadline_s", Type::Number, "latest, in seconds after power-on"));
    stage_deadline.min = 0;
    stage_deadline.max = 86'400;
    return std::vector<KeySpec>{
        required(key("board", Type::String, "the board's name")),
        with_default(key("description", Type::String, "one line for people"), ""),
        with_default(with(key("boot_stages", Type::List, "in order; the last one means ready for use"),
                          {with(key("", Type::Map, ""),
                                {required(key("name", Type::String, "the stage's name")),
                                 required(key("pattern", Type::Pattern, "what the console shows when it is reached")), stage_deadline})}),
                     json::array()),
        with(key("shell", Type::Map, "how to get a POSIX shell on the main console"),
             {with_default(key("prompt", Type::Pattern, "its prompt"), "[#$] $"), with_default(key("login", Type::String, "user name"), ""),
              with_default(key("password", Type::String, "its password"), ""),
              with_default(key("login_prompt", Type::Pattern, "asks for the user"), "login: *$"),
              with_default(key("password_prompt", Type::Pattern, "asks for the password"), "[Pp]assword: *$")}),
        with(key("repl", Type::Map, "an interpreter on the main console that is no POSIX shell"),
             {required(key("prompt", Type::Pattern, "its prompt")),
              required(such_as(key("say", Type::String, "a line that makes it print {left} and {right} as one word"),
                               "print('{left}' '{right}')")),
              with_default(key("interrupt", Type::String, "bytes that end what it does and drop a half-typed line"), "")}),
        with_default(key("line_end", Type::String, "what Enter sends"), "\n"),
        with_default(key("linux_watchers", Type::Boolean, "watch for panic, oops, watchdog, file-system errors"), false),
        with_default(with(key("watchers", Type::List, "more standing patterns"),
                          {with(key("", Type::Map, ""),
                                {required(key("name", Type::String, "the watcher's name; a linux watcher's: takes its place")),
                                 key("pattern", Type::Pattern, "what it looks for"),
                                 with_default(key("fatal", Type::Boolean, "ends every wait"), false),
                                 with_default(key("console", Type::String, "the one console that it is for"), ""),
                                 with_default(key("disabled", Type::Boolean, "a linux watcher that this board goes without"), false)})}),
                     json::array()),
        with_default(with(key("boot_noise", Type::List, "regexes of what differs between sound boots of this board"),
                          {such_as(key("", Type::Pattern, "masks what it matches"), "up=[0-9.]+")}),
                     json::array()),
        with_default(duration_ms("min_off_ms", "discharge time"), 0),
        with(key("pacing", Type::Map, "for a UART with a small FIFO"), {required(key("chunk_bytes", Type::Integer, "bytes sent at once")),
                                                                        required(duration_ms("pause_ms", "between chunks", 10'000))}),
        board_usb(),
        with_default(
            with(key("functions", Type::OpenMap, "commands and patterns that scenarios ask for by name"), {key("", Type::String, "")}),
            json::object()),
        flash_keys(false),
        flash_keys(true),
        with_default(with(key("machine", Type::OpenMap, "keys of the driver that can be this board"), {}), nullptr),
    };
  }();
  return keys;
}

const std::vector<KeySpec>& bench_keys() {
  static const std::vector<KeySpec> keys{
      required(key("bench", Type::String, "the bench's name")),
      required(with(key("instruments", Type::OpenMap, "what is on the bench"), {})),
      with_default(with(key("supplies", Type::OpenMap, "what several DUTs draw their power from"),
                        {with(key("", Type::Map, "a supply"),
                              {required(duration_ms("stagger_ms", "at least so long from one power-on to the next (inrush current)"))})}),
                   json::object()),
      with_default(with(key("loopbacks", Type::OpenMap, "consoles of no DUT with their output wired to their input, for `hilcop selftest`"),
                        {role("", "a console")}),
                   json::object()),
      with_default(chosen(key("selftest", Type::String, "whether `hilcop run` needs a self-test that passed"), {"advised", "required"}),
                   "advised"),
      with_default(most_hours("selftest_max_age_h", "how old a self-test may be, in hours"), 168),
      required(with(
          key("duts", Type::OpenMap, "the devices under test"),
          {with(
              key("", Type::Map, ""),
              {required(key("board", Type::String, "a name in boards/, or a path that ends in .yaml")),
               with_default(key("serial_number", Type::String, "of this unit"), ""),
               key("unit_record", Type::Path, "JSON file of what its maker knows of this unit: secrets of its label, keys"), power_keys(),
               with_default(with(key("consoles", Type::OpenMap, "its serial consoles; `main` is the first"),
                                 {role("", "a console", console_extras())}),
                            json::object()),
               with(key("usb", Type::Map, "where it shows itself as a USB device, and which: a path, a serial number, or vid and pid"),
                    {with_default(
                         such_as(key("path", Type::String, "USB path of its socket; all that is plugged in there or below is its own"),
                                 "1-1.2"),
                         ""),
                     with_default(key("serial", Type::String, "the device's serial number"), ""), whole("vid", "vendor, as 0x0525", 0xffff),
                     whole("pid", "product, as 0xa4a7", 0xffff)}),
               network_role(), role("reset", "its reset line", output_extras()),
               with_default(with(key("buttons", Type::OpenMap, "its keys"), {role("", "a key", output_extras())}), json::object()),
               with_default(with(key("outputs", Type::OpenMap, "other lines that the bench drives"), {role("", "a line", output_extras())}),
                            json::object()),
               with_default(
                   with(key("storage", Type::OpenMap, "disks of it that the bench can reach; `main` is the first"), {storage_role()}),
                   json::object()),
               with_default(with(key("flash_values", Type::OpenMap,
                                     "what this bench alone knows, for {name} in the board's flash: and dump: usb_path, serial, tftp_dir"),
                                 {key("", Type::String, "")}),
                            json::object()),
               with_default(with(key("inputs", Type::OpenMap, "lines that the bench reads"), {role("", "a line", output_extras())}),
                            json::object()),
               with_default(with(key("meters", Type::OpenMap, "quantities that the bench measures"), {role("", "a meter's channel")}),
                            json::object())})})),
  };
  return keys;
}

}  // namespace hilcop

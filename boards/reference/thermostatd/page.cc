// SPDX-License-Identifier: Apache-2.0
// The web page, in the program: one file that uses the API. What comes from the device is put in as text, never as markup.
#include "api.h"

namespace ht1 {

std::string_view web_page() {
  return R"PAGE(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>HT-1 thermostat</title>
<style>body{font:16px sans-serif;max-width:40em;margin:1em auto;padding:0 1em}fieldset{margin:1em 0}label{display:block;margin:.4em 0}
input{font:inherit}pre{white-space:pre-wrap;background:#eee;padding:.5em}.hidden{display:none}</style></head><body>
<h1>HT-1 thermostat</h1><p id="says" role="status"></p>
<form id="setup" class="hidden"><fieldset><legend>Set up</legend>
<p>The set-up secret is printed on the label on the case.</p>
<label>Set-up secret <input name="secret" required autocomplete="off"></label>
<label>Your password, at least 10 characters <input name="password" type="password" minlength="10" required autocomplete="new-password"></label>
<label>Wi-Fi name <input name="ssid" maxlength="32"></label><label>Wi-Fi key <input name="key" type="password" maxlength="63"></label>
<label><input type="checkbox" name="telemetry"> Send temperature, heating, running time and version to the maker (optional)</label>
<label><input type="checkbox" name="auto" checked> Install security updates by itself</label><button>Set up</button></fieldset></form>
<form id="login" class="hidden"><fieldset><legend>Log in</legend>
<label>Password <input name="password" type="password" required autocomplete="current-password"></label><button>Log in</button></fieldset></form>
<main id="home" class="hidden">
<fieldset><legend>Heating</legend><p id="state"></p><form id="target"><label>Target <input name="celsius" type="number" min="5" max="30" step="0.5" required> &deg;C</label><button>Set</button></form></fieldset>
<fieldset><legend>Schedule</legend><form id="schedule"><label>Entries, as JSON<br><textarea name="entries" rows="5" cols="50"></textarea></label><button>Save</button></form></fieldset>
<fieldset><legend>You</legend><form id="user"><label>Name <input name="name" maxlength="100"></label><label>E-mail <input name="email" type="email" maxlength="100"></label>
<label>Device name <input name="device_name" maxlength="32" required></label><button>Save</button></form><button id="export">Export settings</button></fieldset>
<fieldset><legend>Privacy and updates</legend><label><input type="checkbox" id="consent"> Send telemetry</label>
<label><input type="checkbox" id="auto"> Install updates by itself</label><p id="update"></p><button id="check">Look for updates</button> <button id="install">Install (the thermostat restarts; heating pauses for some seconds)</button></fieldset>
<fieldset><legend>Security</legend><button id="log">Show the security log</button><pre id="events"></pre>
<form id="change"><label>Old password <input name="old" type="password" required></label><label>New password <input name="new" type="password" minlength="10" required></label><button>Change</button></form>
<form id="erase"><label>Password <input name="password" type="password" required></label><button>Erase all my data</button></form><button id="logout">Log out</button></fieldset>
</main><script>
let token='';const by=id=>document.getElementById(id);
async function call(method,path,body){const r=await fetch('/api/'+path,{method,headers:token?{Authorization:'Bearer '+token}:{},body:body===undefined?undefined:JSON.stringify(body)});
const j=await r.json();if(!r.ok){if(r.status==401&&path!='login'){token='';view()}throw new Error(j.error+(r.headers.get('Retry-After')?' (wait '+r.headers.get('Retry-After')+' s)':''))}return j}
function on(id,event,what){by(id).addEventListener(event,async e=>{e.preventDefault();try{await what(Object.fromEntries(event=='submit'?new FormData(by(id)):[]),by(id));by('says').textContent='Done.'}catch(x){by('says').textContent=x.message}})}
async function view(){const info=await call('GET','info');for(const id of ['setup','login','home'])by(id).classList.add('hidden');
by(info.setup=='open'?'setup':token?'home':'login').classList.remove('hidden');if(token)await show()}
async function show(){const s=await call('GET','state');by('state').textContent=s.temperature+' °C, target '+s.target+' °C, heating '+(s.heating?'on':'off')+', version '+s.version+', cloud '+s.cloud;
by('schedule').entries.value=JSON.stringify(await call('GET','schedule'));const u=await call('GET','user');for(const k in u)by('user')[k].value=u[k];
by('consent').checked=(await call('GET','consent')).telemetry;const up=await call('GET','update');by('auto').checked=up.auto;
by('update').textContent=(up.available?'Version '+up.available+' is there'+(up.security?': it closes a security hole. Install it soon.':'.')+' '+(up.notes||''):'No newer version is known.')+' ('+up.state+')'}
on('setup','submit',async f=>{await call('POST','setup',{secret:f.secret,password:f.password,consent:{telemetry:!!f.telemetry},auto_update:!!f.auto,...(f.ssid?{wifi:{ssid:f.ssid,key:f.key}}:{})});await view()});
on('login','submit',async f=>{token=(await call('POST','login',f)).token;by('login').reset();await view()});
on('target','submit',async f=>{await call('PUT','target',{celsius:Number(f.celsius)});await show()});
on('schedule','submit',async f=>{await call('PUT','schedule',JSON.parse(f.entries))});
on('user','submit',async f=>{await call('PUT','user',f)});
on('change','submit',async f=>{await call('POST','password',f);token='';await view()});
on('erase','submit',async f=>{await call('POST','erase',f);token=''});
on('consent','change',async(f,e)=>{await call('PUT','consent',{telemetry:e.checked})});
on('auto','change',async(f,e)=>{await call('PUT','update',{auto:e.checked})});
on('check','click',async()=>{await call('POST','update/check')});on('install','click',async()=>{await call('POST','update/install')});
on('logout','click',async()=>{await call('POST','logout');token='';await view()});
on('log','click',async()=>{by('events').textContent=(await call('GET','log')).map(e=>new Date(e.at*1000).toISOString()+'  '+e.event+'  '+e.detail).join('\n')});
on('export','click',async()=>{const a=document.createElement('a');a.href=URL.createObjectURL(new Blob([JSON.stringify(await call('GET','export'))]));a.download='ht1-settings.json';a.click()});
view();setInterval(()=>{if(token)call('GET','state').then(s=>by('state').textContent=s.temperature+' °C, target '+s.target+' °C, heating '+(s.heating?'on':'off')+', version '+s.version+', cloud '+s.cloud).catch(()=>0)},5000);
</script></body></html>
)PAGE";
}

}  // namespace ht1

/**
 * What every compiled function carries in front of it: memory access with the shadow check, and 64-bit arithmetic on halves.
 * `H` holds the high half of the last wide result. Closures of its own let the JavaScript engine inline them.
 */
export const PRELUDE = `'use strict';
const I=rt.memory.i32,B=rt.memory.u8,U=rt.memory.u16,S=rt.memory.shadow;let H=0;
function ck(p){const a=p|0;return a===p&&S[a>>3]===1?a:rt.bad(p);}
function ck4(p){const a=p|0;return a===p&&(a&3)===0&&S[a>>3]===1?a:rt.bad(p,4);}
function l1s(p){return B[ck(p)]<<24>>24;}
function l1u(p){return B[ck(p)];}
function l2s(p){return U[ck(p)>>1]<<16>>16;}
function l2u(p){return U[ck(p)>>1];}
function l4s(p){return I[ck4(p)>>2];}
function l4u(p){return I[ck4(p)>>2]>>>0;}
function lp(p){const a=ck4(p)>>2,l=I[a],h=I[a+1];return h===0&&l>=0?l:pn(l,h);}
function s1(p,v){B[ck(p)]=v;}
function s2(p,v){U[ck(p)>>1]=v;}
function s4(p,v){I[ck4(p)>>2]=v;}
function s8(p,l,h){const a=ck4(p)>>2;I[a]=l;I[a+1]=h;}
function sp(p,v){const a=ck4(p)>>2;I[a]=v|0;I[a+1]=v>=0&&v<4294967296?0:Math.floor(v/4294967296);}
function cp(d,s,n){const a=ck4(d),b=ck4(s);I.copyWithin(a>>2,b>>2,b+n>>2);}
function zero(p,n){const a=ck(p);B.fill(0,a,a+n);}
function hi(v){return v>=0&&v<4294967296?0:Math.floor(v/4294967296)|0;}
function pn(l,h){return h>=-2097152&&h<2097152?h*4294967296+(l>>>0):rt.notModelled('a pointer value beyond 53 bits');}
function nn(l,h){return h>=-2097152&&h<2097152?h*4294967296+(l>>>0):h===2097152&&l===0?9007199254740992:(BigInt(h)<<32n)+BigInt(l>>>0);}
function nlo(v){return typeof v==='bigint'?Number(BigInt.asIntN(32,v)):v|0;}
function nhi(v){return typeof v==='bigint'?Number(BigInt.asIntN(32,v>>32n)):hi(+v);}
function pless(a,b){return a<0!==b<0?b<0:a<b;}
function mulhi(a,b){const al=a&65535,ah=a>>>16,bl=b&65535,bh=b>>>16,m=ah*bl+((al*bl)>>>16),n=al*bh+(m&65535);return (ah*bh+Math.floor(m/65536)+Math.floor(n/65536))|0;}
function mul(al,ah,bl,bh){H=(mulhi(al,bl)+Math.imul(al,bh)+Math.imul(ah,bl))|0;return Math.imul(al,bl);}
function big(l,h){return (BigInt(h)<<32n)|BigInt(l>>>0);}
function half(v){H=Number(BigInt.asIntN(32,v>>32n));return Number(BigInt.asIntN(32,v));}
function whole(v){H=Math.floor(v/4294967296)|0;return v|0;}
function divu(al,ah,bl,bh){if(ah>=0&&ah<2097152&&bh>=0&&bh<2097152)return whole(Math.floor((ah*4294967296+(al>>>0))/(bh*4294967296+(bl>>>0))));return half(BigInt.asUintN(64,big(al,ah))/BigInt.asUintN(64,big(bl,bh)));}
function remu(al,ah,bl,bh){if(ah>=0&&ah<2097152&&bh>=0&&bh<2097152)return whole((ah*4294967296+(al>>>0))%(bh*4294967296+(bl>>>0)));return half(BigInt.asUintN(64,big(al,ah))%BigInt.asUintN(64,big(bl,bh)));}
function divs(al,ah,bl,bh){return (ah|bh)>=0?divu(al,ah,bl,bh):half(big(al,ah)/big(bl,bh));}
function rems(al,ah,bl,bh){return (ah|bh)>=0?remu(al,ah,bl,bh):half(big(al,ah)%big(bl,bh));}
function co(v){return typeof v==='object'&&v!==null;}
function ones(n){n-=n>>>1&0x55555555;n=(n&0x33333333)+(n>>>2&0x33333333);return Math.imul(n+(n>>>4)&0x0f0f0f0f,0x01010101)>>>24;}
function shl(l,h,n){n&=63;if(n===0){H=h;return l;}if(n>=32){H=l<<n-32;return 0;}H=h<<n|l>>>32-n;return l<<n;}
function shr(l,h,n){n&=63;if(n===0){H=h;return l;}if(n>=32){H=0;return h>>>n-32|0;}H=h>>>n|0;return l>>>n|h<<32-n;}
function sar(l,h,n){n&=63;if(n===0){H=h;return l;}if(n>=32){H=h>>31;return h>>n-32;}H=h>>n;return l>>>n|h<<32-n;}
`;

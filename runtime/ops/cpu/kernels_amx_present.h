// Whether this machine has AMX's tiles with bfloat16, and this process may use them.
#pragma once

namespace latentmoe {

bool amx_present();

}  // namespace latentmoe

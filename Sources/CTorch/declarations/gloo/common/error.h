// See gloo/context.h: libtorch's header includes this one and uses nothing of it.
#pragma once

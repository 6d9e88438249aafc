/* api.c — stand-in for trying */
#include "api/server.h"
struct api { struct httpd *h; };
static void head(void *arg, struct httpd_request *rq){(void)arg; httpd_answer(rq,404,NULL,0,STR("x"));}
static void request(void *arg, struct httpd_request *rq){(void)arg; httpd_answer(rq,404,NULL,0,STR("x"));}
struct api *api_open(const struct api_env *env, struct error *err){ static const struct httpd_handler hd={.head=head,.request=request}; struct api*a=mem_alloc(sizeof *a); a->h=httpd_open(env->loop,&env->listen,&hd,a,err); return a;}
struct httpd *api_httpd(struct api *a){return a->h;}
void api_close(struct api *a){ if(a) httpd_close(a->h); free(a);}
void api_release_waiting(struct api *a){(void)a;}
